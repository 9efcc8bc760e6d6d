/* page.js: what all pages share: their words, one view at a time, requests, and leaving nothing behind.
 * Texts go into the page as text, never as markup. */

import { language, strings } from "./strings.en.js";

export const byId = (id) => document.getElementById(id);

/* Values for the {names} in the strings; set once something is known. */
export const known = { shop: strings["shop.unknown"] };

export function text(key, values = {}) {
	const all = { ...known, ...values };
	return strings[key].replace(/\{(\w+)\}/g, (whole, name) => (name in all ? String(all[name]) : whole));
}

export const has = (key) => key in strings;

/* Fill every element that names a string: data-text, and data-alt and data-label for attributes. */
export function applyStrings(root = document) {
	for (const element of root.querySelectorAll("[data-text]"))
		element.textContent = text(element.dataset.text);
	for (const element of root.querySelectorAll("[data-alt]"))
		element.alt = text(element.dataset.alt);
	for (const element of root.querySelectorAll("[data-label]"))
		element.setAttribute("aria-label", text(element.dataset.label));
	document.documentElement.lang = language;
}

/* One view at a time.  Its heading gets the focus, so that a screen reader begins there. */
export function show(id) {
	for (const view of document.querySelectorAll("[data-view]"))
		view.hidden = view.id !== id;
	const heading = byId(id).querySelector("h1");
	document.title = known.shop === strings["shop.unknown"] ? heading.textContent : `${heading.textContent} · ${known.shop}`;
	window.scrollTo(0, 0);
	heading.focus({ preventScroll: true });
}

/* Say it to those who do not see the page.  Emptied first: the same words twice are news, too. */
export function announce(message) {
	const live = byId("live");
	live.textContent = "";
	setTimeout(() => { live.textContent = message; }, 50);
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

const PATIENCE_MS = 20000;

async function content(response) {
	if (response.status === 204)
		return {};
	try {
		return await response.json();
	} catch {
		return null;
	}
}

/* Ask our own service.  Never throws: {status, body, problem, retryAfter}; status 0 is no answer. */
export async function ask(method, path, body) {
	const options = { method, credentials: "same-origin", cache: "no-store", redirect: "error", headers: {},
		signal: AbortSignal.timeout(PATIENCE_MS) };
	if (body !== undefined) {
		options.headers["Content-Type"] = "application/json";
		options.body = JSON.stringify(body);
	}
	try {
		const response = await fetch(path, options);
		const answer = await content(response);
		return { status: answer === null ? 0 : response.status, body: answer,
			problem: String(answer?.type ?? "").split("/").pop(),
			retryAfter: Number(response.headers.get("Retry-After")) || 0 };
	} catch {
		return { status: 0, body: null, problem: "", retryAfter: 0 };
	}
}

/* --- controls ----------------------------------------------------------------------------------------------------- */

/* Run ACTION on a click, one at a time.  The button keeps the focus and says that it is busy. */
export function onClick(button, action, busyKey) {
	button.addEventListener("click", () => guarded(button, action, busyKey));
}

export function onSubmit(form, button, action, busyKey) {
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		guarded(button, action, busyKey);
	});
}

async function guarded(button, action, busyKey) {
	if (button.getAttribute("aria-disabled") === "true")
		return;
	const label = button.textContent;
	button.setAttribute("aria-disabled", "true");
	if (busyKey !== undefined)
		button.textContent = text(busyKey);
	try {
		await action();
	} finally {
		button.removeAttribute("aria-disabled");
		button.textContent = label;
	}
}

/* Copy VALUE; where the browser does not allow it, select ELEMENT, so that the person can. */
export async function copy(value, element, doneKey) {
	try {
		await navigator.clipboard.writeText(value);
		announce(text(doneKey));
		return true;
	} catch {
		getSelection().selectAllChildren(element);
		announce(text("copy.failed"));
		return false;
	}
}

/* An element of TAG that holds TEXT, with the attributes and children given. */
export function make(tag, content, attributes = {}, ...children) {
	const element = document.createElement(tag);
	element.textContent = content;
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

export function clockTime(secondsFromNow) {
	const when = new Date(Date.now() + secondsFromNow * 1000);
	return when.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

/* --- a visit, from the link on ------------------------------------------------------------------------------------- */

let page = null;                /* what begin() was given */
let timeIsOver = 0;             /* the timer that ends this visit */

/* A page's whole life.  NAME: of its own words.  API: where its routes are.  ENTER: ask where the person stands and
 * show it.  WIPE: take every secret off the page. */
export function begin({ name, api, enter, wipe }) {
	page = { name, api, enter, wipe };
	const token = takeToken();
	applyStrings();
	window.addEventListener("pagehide", wipe);
	/* a page that comes back from the browser's memory begins anew */
	window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
	/* the same page with another link: browsers do not load it anew for a # alone */
	window.addEventListener("hashchange", () => { if (location.hash.length > 1) location.reload(); });
	if (token !== "")
		exchange(token);
	else
		enter();
}

/* The token leaves the address bar and the history before anything else happens. */
function takeToken() {
	const token = location.hash.slice(1);
	if (token !== "")
		history.replaceState(null, "", location.pathname);
	return token;
}

async function exchange(token) {
	const answer = await ask("POST", `${page.api}/exchange`, { token });
	if (answer.status === 204)
		return page.enter();
	if (answer.status === 410)
		return showProblem("expired");
	if (answer.status === 409)
		return refuseUsed();
	if (answer.status === 404 || answer.status === 422)
		return showProblem("wrong");
	return showTrouble(answer, () => exchange(token));
}

/* Used up; but perhaps by the very person who sits here, and whose visit is still open. */
async function refuseUsed() {
	const answer = await ask("GET", page.api);
	if (answer.status !== 200)
		return showProblem("used");
	welcome(answer.body);
	return showProblem("used", { retry: page.enter, retryKey: "problem.continue" });
}

/* What the service told about the visit goes into the words and links of the page. */
export function welcome(visit) {
	known.shop = visit.issuer;
	known.login = visit.login;
	known.time = clockTime(visit.expires_in);
	byId("shop").textContent = visit.issuer;
	if (visit.return_to !== null)
		for (const link of document.querySelectorAll("[data-way-back]"))
			Object.assign(link, { href: visit.return_to, hidden: false });
	applyStrings();
	stay();
	timeIsOver = setTimeout(() => showProblem("over"), visit.expires_in * 1000);
}

/* From here on nothing can run out any more. */
export function stay() {
	clearTimeout(timeIsOver);
}

/* --- when it does not work: what happened, and what to do ---------------------------------------------------------- */

export function showProblem(kind, { values = {}, retry, retryKey = "problem.retry" } = {}) {
	page.wipe();
	for (const part of ["title", "text", "do"]) {
		const own = `${page.name}.${kind}.${part}`;
		byId(`problem-${part}`).textContent = text(has(own) ? own : `${kind}.${part}`, values);
	}
	byId("problem-go").hidden = retryKey !== "problem.continue";
	const button = byId("problem-retry");
	button.hidden = retry === undefined;
	button.textContent = text(retryKey);
	button.onclick = retry === undefined ? null : () => guarded(button, retry);
	show("problem");
}

/* What no step knows how to answer: the network, an outage, a defect. */
export function showTrouble(answer, retry) {
	if (answer.status === 0 || answer.status === 503 || answer.status === 429)
		showProblem("away", { retry });
	else
		showProblem("failed", { retry, values: { id: String(answer.body?.instance ?? "").replace("urn:uuid:", "") } });
}

/* A page without a link, one whose time is over, or trouble: the answers that every page knows. */
export function showRefusal(answer, retry) {
	if (answer.status === 404)
		showProblem("none");
	else if (answer.status === 409)
		showProblem("over");
	else
		showTrouble(answer, retry);
}
