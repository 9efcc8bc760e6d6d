/* enroll.js: set up an authenticator app: link, secret, first code, recovery codes, the way back.
 * The server alone knows where a person stands; after every surprise the page asks it again. */

import { announce, ask, begin, byId, copy, onClick, onSubmit, show, showProblem, showRefusal, showTrouble, stay, text, welcome }
	from "./page.js";

const API = "pages/v1/enrollment";

let recoveryCodes = [];         /* only while they are on the screen */

/* --- where the person stands -------------------------------------------------------------------------------------- */

async function enter() {
	const answer = await ask("GET", API);
	if (answer.status !== 200)
		return showRefusal(answer, enter);
	welcome(answer.body);
	if (answer.body.state === "opened")
		return showIntro(answer.body.proof_required);
	if (answer.body.state === "started")
		return showBind("resume.title", false);
	return showDone(true);
}

/* For the account's first app, or for a further one, which the one that is there has to vouch for. */
function showIntro(further) {
	for (const part of ["title", "text"])
		byId(`intro-${part}`).textContent = text(`${further ? "further" : "intro"}.${part}`);
	byId("intro-place").hidden = further;
	byId("proof-part").hidden = !further;
	show("intro");
}

/* --- the secret, and the first code ------------------------------------------------------------------------------- */

async function start() {
	const code = byId("proof-part").hidden ? "" : byId("proof").value.trim();
	showError("proof", "");
	if (!byId("proof-part").hidden && code === "")
		return showError("proof", text("proof.form"));
	const answer = await ask("POST", `${API}/start`, code === "" ? {} : { proof: code.replace(/\s/g, "") });
	if (answer.status === 201)
		return showSecret(answer.body);
	if (answer.status === 403 && answer.problem === "denied")
		return showError("proof", text("proof.wrong"));
	if (answer.status === 422)
		return showError("proof", text("proof.form"));
	if (answer.status === 429 && !byId("proof-part").hidden)
		return showError("proof", waiting(answer.retryAfter, "proof.throttled.long"));
	/* begun in another window, over, or an app was added meanwhile: the server knows */
	if ([403, 404, 409].includes(answer.status) && answer.problem !== "cross-site")
		return enter();
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

function showBind(title, revealed) {
	byId("bind-title").dataset.text = title;
	byId("bind-title").textContent = text(title);
	byId("reveal").hidden = !revealed;
	byId("again").hidden = revealed;
	showError("code", "");
	show("bind");
}

/* MESSAGE at the field ID; "" takes it away. */
function showError(id, message) {
	const field = byId(id);
	byId(`${id}-error`).textContent = message;
	if (message === "") {
		field.removeAttribute("aria-invalid");
		return;
	}
	field.setAttribute("aria-invalid", "true");
	field.focus();
	field.select();
}

/* A new link brings a new key with new tries; it does not help who has to prove the app that is there. */
function waiting(seconds, longKey) {
	return seconds <= 90 ? text("code.throttled", { seconds }) : text(longKey, { minutes: Math.ceil(seconds / 60) });
}

async function confirm() {
	const code = byId("code").value.replace(/\s/g, "");
	showError("code", "");
	if (!/^[0-9]{6}$/.test(code))
		return showError("code", text("code.form"));
	const answer = await ask("POST", `${API}/confirm`, { code });
	if (answer.status === 200)
		return showCodes(answer.body.recovery_codes);
	if (answer.status === 403 && answer.problem === "denied")
		return showError("code", text("code.wrong"));
	if (answer.status === 429)
		return showError("code", waiting(answer.retryAfter, "code.throttled.long"));
	if (answer.status === 422)
		return showError("code", text("code.form"));
	if (answer.status === 409 || answer.status === 404)
		return enter();
	return showTrouble(answer, enter);
}

/* --- recovery codes ----------------------------------------------------------------------------------------------- */

function showCodes(codes) {
	wipe();
	stay();
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
	stay();
	byId("done-codes").hidden = !withoutCodes;
	byId("done-close").hidden = !byId("done-back").hidden;
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
	byId("proof").value = "";
}

/* --- from the top ------------------------------------------------------------------------------------------------- */

onSubmit(byId("start"), byId("begin"), start, "intro.beginning");
onSubmit(byId("confirm"), byId("confirm-button"), confirm, "bind.confirming");
onClick(byId("copy-codes"), () => copy(recoveryCodes.join("\n"), byId("code-list"), "codes.copied"));
onClick(byId("download-codes"), download);
onClick(byId("print-codes"), () => window.print());
onClick(byId("saved"), () => showDone(false));
begin({ name: "enroll", api: API, enter, wipe });
