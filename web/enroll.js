/* enroll.js: set up an authenticator app: link, secret, first code, recovery codes, the way back.
 * The server alone knows where a person stands; after every surprise the page asks it again. */

import { announce, applyStrings, ask, byId, clockTime, copy, guarded, known, leaveNothing, onClick, show, text }
	from "./page.js";

const API = "pages/v1/enrollment";

let timeIsOver = 0;             /* the timer that ends this visit */
let recoveryCodes = [];         /* only while they are on the screen */

/* --- when it does not work ---------------------------------------------------------------------------------------- */

function showProblem(kind, { values = {}, retry, retryKey = "problem.retry" } = {}) {
	wipe();
	for (const part of ["title", "text", "do"])
		byId(`problem-${part}`).textContent = text(`${kind}.${part}`, values);
	byId("problem-go").hidden = retryKey !== "problem.continue";
	const button = byId("problem-retry");
	button.hidden = retry === undefined;
	button.textContent = text(retryKey);
	button.onclick = retry === undefined ? null : () => guarded(button, retry);
	byId("problem-back").hidden = !byId("problem-back").hasAttribute("href");
	show("problem");
}

/* What no step knows how to answer: the network, an outage, a defect. */
function showTrouble(answer, retry) {
	if (answer.status === 0 || answer.status === 503 || answer.status === 429)
		showProblem("away", { retry });
	else
		showProblem("failed", { retry, values: { id: String(answer.body?.instance ?? "").replace("urn:uuid:", "") } });
}

/* --- the link ----------------------------------------------------------------------------------------------------- */

/* The token leaves the address bar and the history before anything else happens. */
function takeToken() {
	const token = location.hash.slice(1);
	if (token !== "")
		history.replaceState(null, "", location.pathname);
	return token;
}

async function exchange(token) {
	const answer = await ask("POST", `${API}/exchange`, { token });
	if (answer.status === 204)
		return enter();
	if (answer.status === 409)
		return refuseUsed(answer);
	if (answer.status === 404 || answer.status === 422)
		return showProblem("wrong");
	return showTrouble(answer, () => exchange(token));
}

/* Used up; but perhaps by the very person who sits here, and whose visit is still open. */
async function refuseUsed(answer) {
	if (answer.problem === "expired")
		return showProblem("expired");
	const page = await ask("GET", API);
	if (page.status !== 200)
		return showProblem("used");
	welcome(page.body);
	return showProblem("used", { retry: enter, retryKey: "problem.continue" });
}

/* --- where the person stands -------------------------------------------------------------------------------------- */

function welcome(page) {
	known.shop = page.issuer;
	known.login = page.login;
	known.time = clockTime(page.expires_in);
	byId("shop").textContent = page.issuer;
	for (const id of ["done-back", "problem-back"])
		if (page.return_to !== null)
			byId(id).href = page.return_to;
	applyStrings();
	clearTimeout(timeIsOver);
	if (page.state !== "done")
		timeIsOver = setTimeout(() => showProblem("over"), page.expires_in * 1000);
}

async function enter() {
	const answer = await ask("GET", API);
	if (answer.status === 404)
		return showProblem("none");
	if (answer.status === 409)
		return showProblem("over");
	if (answer.status !== 200)
		return showTrouble(answer, enter);
	welcome(answer.body);
	if (answer.body.state === "opened")
		return show("intro");
	if (answer.body.state === "started")
		return showResume();
	return showDone(true);
}

/* --- the secret, and the first code ------------------------------------------------------------------------------- */

async function begin() {
	const answer = await ask("POST", `${API}/start`, {});
	if (answer.status === 201)
		return showSecret(answer.body);
	if (answer.status === 409 || answer.status === 404)     /* begun in another window, or over: the server knows */
		return enter();
	if (answer.status === 403 && answer.problem === "forbidden")
		return showProblem("proof");
	return showTrouble(answer, enter);
}

/* Groups of four, which the eye can follow from the screen to the phone; a line breaks between groups only. */
function showGroups(element, secret) {
	element.replaceChildren();
	for (const group of secret.match(/.{1,4}/g)) {
		const span = document.createElement("span");
		span.textContent = group;
		element.append(span, " ");
	}
}

function showSecret(enrollment) {
	const secret = enrollment.secret.replaceAll(" ", "");
	byId("qr").src = `data:image/svg+xml,${encodeURIComponent(enrollment.qr_svg)}`;
	byId("open-app").href = enrollment.otpauth_uri;
	showGroups(byId("secret"), secret);
	byId("copy-secret").onclick = () => copy(secret, byId("secret"), "bind.copied");
	showBind("bind.title", true);
}

function showResume() {
	showBind("resume.title", false);
}

function showBind(title, revealed) {
	byId("bind-title").dataset.text = title;
	byId("bind-title").textContent = text(title);
	byId("reveal").hidden = !revealed;
	byId("again").hidden = revealed;
	showCodeError("");
	show("bind");
}

function showCodeError(message) {
	const field = byId("code");
	byId("code-error").textContent = message;
	if (message === "") {
		field.removeAttribute("aria-invalid");
		return;
	}
	field.setAttribute("aria-invalid", "true");
	field.focus();
	field.select();
}

async function confirm() {
	const code = byId("code").value.replace(/\s/g, "");
	showCodeError("");
	if (!/^[0-9]{6}$/.test(code))
		return showCodeError(text("code.form"));
	const answer = await ask("POST", `${API}/confirm`, { code });
	if (answer.status === 200)
		return showCodes(answer.body.recovery_codes);
	if (answer.status === 403 && answer.problem === "denied")
		return showCodeError(text("code.wrong"));
	if (answer.status === 429)
		return showCodeError(text("code.throttled", { seconds: answer.retryAfter }));
	if (answer.status === 422)
		return showCodeError(text("code.form"));
	if (answer.status === 409 || answer.status === 404)
		return enter();
	return showTrouble(answer, enter);
}

/* --- recovery codes ----------------------------------------------------------------------------------------------- */

function showCodes(codes) {
	wipe();
	clearTimeout(timeIsOver);
	if (codes.length === 0)
		return showDone(false);
	recoveryCodes = codes;
	for (const code of codes) {
		const item = document.createElement("li");
		const value = document.createElement("code");
		value.textContent = code;
		item.append(value);
		byId("code-list").append(item);
	}
	window.addEventListener("beforeunload", keepFromLosing);
	return show("codes");
}

function keepFromLosing(event) {
	event.preventDefault();
}

function codesAsText() {
	return [text("codes.file.title"), text("codes.file.text"), "", ...recoveryCodes, ""].join("\n");
}

/* As a file that is made here: the codes do not travel again. */
function download() {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(new Blob([codesAsText()], { type: "text/plain" }));
	link.download = text("codes.file");
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
	announce(text("codes.downloaded"));
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

function showDone(withoutCodes) {
	wipe();
	clearTimeout(timeIsOver);
	const way = byId("done-back").hasAttribute("href");
	byId("done-codes").hidden = !withoutCodes;
	byId("done-way").hidden = !way;
	byId("done-close").hidden = way;
	show("done");
}

/* Take every secret off the page. */
function wipe() {
	window.removeEventListener("beforeunload", keepFromLosing);
	recoveryCodes = [];
	byId("code-list").replaceChildren();
	byId("secret").replaceChildren();
	byId("qr").removeAttribute("src");
	byId("open-app").removeAttribute("href");
	byId("copy-secret").onclick = null;
	byId("code").value = "";
}

/* --- from the top ------------------------------------------------------------------------------------------------- */

function wire() {
	onClick(byId("begin"), begin, "intro.beginning");
	byId("confirm").addEventListener("submit", (event) => {
		event.preventDefault();
		guarded(byId("confirm-button"), confirm, "bind.confirming");
	});
	onClick(byId("copy-codes"), () => copy(recoveryCodes.join("\n"), byId("code-list"), "codes.copied"));
	onClick(byId("download-codes"), download);
	onClick(byId("print-codes"), () => window.print());
	onClick(byId("saved"), () => showDone(false));
	leaveNothing(wipe);
	/* the same page with another link: browsers do not load it anew for a # alone */
	window.addEventListener("hashchange", () => { if (location.hash.length > 1) location.reload(); });
}

const token = takeToken();
applyStrings();
wire();
if (token !== "")
	exchange(token);
else
	enter();
