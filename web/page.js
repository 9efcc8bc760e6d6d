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

export async function guarded(button, action, busyKey) {
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

export function clockTime(secondsFromNow) {
	const when = new Date(Date.now() + secondsFromNow * 1000);
	return when.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

/* WIPE when the page is left; and a page that comes back from the browser's memory begins anew. */
export function leaveNothing(wipe) {
	window.addEventListener("pagehide", wipe);
	window.addEventListener("pageshow", (event) => {
		if (event.persisted)
			location.reload();
	});
}
