/* activity.js: who signed in to an account, who is signed in now, and how to end that. */

import { announce, ask, begin, byId, has, make, onClick, show, showRefusal, stay, text, welcome } from "./page.js";

const API = "pages/v1/activity";
const CODE_WINDOW_MS = 15 * 60 * 1000;  /* a code may follow its password for so long, at most */

async function enter() {
	if (await refresh())
		show("overview");
}

/* Ask and show; false: a problem is on the screen instead. */
async function refresh() {
	const answer = await ask("GET", API);
	if (answer.status !== 200) {
		showRefusal(answer, enter);
		return false;
	}
	welcome(answer.body);
	fill("sessions", answer.body.sessions.map(sessionRow));
	fill("devices", answer.body.devices.map(deviceRow));
	byId("devices-text").hidden = answer.body.devices.length === 0;
	fill("events", worthTelling(answer.body.events).map(eventRow));
	return true;
}

function fill(id, rows) {
	byId(id).replaceChildren(...rows);
	byId(id).hidden = rows.length === 0;
	byId(`${id}-none`).hidden = rows.length !== 0;
}

/* --- one line of a list ------------------------------------------------------------------------------------------- */

function when(time) {
	const shown = new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
	return make("time", shown, { datetime: time });
}

/* KEY with its {from} and {to} as <time> elements. */
function period(key, times) {
	return make("p", "", { class: "small" }, ...text(key).split(/(\{\w+\})/).map((part) =>
		part in times ? when(times[part]) : part));
}

const BROWSERS = [["Edg", "Edge"], ["OPR", "Opera"], ["SamsungBrowser", "Samsung Internet"], ["Firefox", "Firefox"],
	["FxiOS", "Firefox"], ["CriOS", "Chrome"], ["Chrome", "Chrome"], ["Safari", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"],
	["CrOS", "ChromeOS"], ["Macintosh", "Mac"], ["Linux", "Linux"]];

/* A browser's name for itself is a guess, so it is shown in people's words where it is a usual one, else as it came. */
function browserOf(agent) {
	if (agent === null)
		return text("activity.browser.unknown");
	const browser = BROWSERS.find(([mark]) => agent.includes(`${mark}/`))?.[1];
	const system = SYSTEMS.find(([mark]) => agent.includes(mark))?.[1];
	return browser && system ? text("activity.browser", { browser, system }) : agent.slice(0, 80);
}

function placeOf(source) {
	return source === null ? text("activity.from.unknown") : text("activity.from", { source });
}

function endButton(labelKey, what, body, titleId, doneKey) {
	const button = make("button", text(labelKey), { type: "button", "aria-label": text(`${labelKey}.what`, { what }) });
	onClick(button, () => end(body, titleId, doneKey));
	return button;
}

function sessionRow(session) {
	const what = `${browserOf(session.user_agent)}, ${placeOf(session.source)}`;
	return make("li", "", {}, make("div", "", {}, make("p", what),
		period("activity.session.used", { "{from}": session.auth_time, "{to}": session.last_used_at })),
		endButton("activity.end", what, { session: session.id }, "sessions-title", "activity.ended"));
}

function deviceRow(device) {
	const what = browserOf(device.user_agent);
	return make("li", "", {}, make("div", "", {}, make("p", what),
		period("activity.device.used", { "{from}": device.created_at, "{to}": device.last_used_at })),
		endButton("activity.forget", what, { device: device.id }, "devices-title", "activity.forgotten"));
}

/* --- events ------------------------------------------------------------------------------------------------------- */

/* Of sign-ins that came to nothing; whatever is not here was simply refused. */
const REFUSALS = {
	throttled: "event.throttled",
	wrong_password: "event.wrong_password",
	wrong_code: "event.wrong_code",
	code_replayed: "event.code_replayed",
	challenge_over: "event.challenge_over",
};

function signIn(event) {
	if (event.outcome === "granted")
		return [event.reason === "recovery_code" ? "event.signed_in_recovery" : "event.signed_in", false];
	if (event.outcome === "challenge")
		return ["event.code_due", true];
	return [REFUSALS[event.outcome] ?? REFUSALS[event.reason] ?? "event.refused", true];
}

/* [string, is it bad news?] */
function meaning(event) {
	const good = event.outcome === "ok" || event.outcome === "granted";
	switch (event.kind) {
	case "login_password":
	case "login_code":
	case "login_otp":
		return signIn(event);
	case "step_up":
		return good ? ["event.step_up", false] : [REFUSALS[event.reason] ?? "event.refused", true];
	case "password_reset_started":
		return good ? ["event.password_reset_started", false] : ["event.password_reset_throttled", true];
	case "device_ended":
		return event.reason === "token_reused" ? ["event.device_copied", true] : ["event.device_ended", false];
	case "codes_failing":
		return ["event.codes_failing", true];
	case "password_changed":
		return good ? ["event.password_changed", false] : ["event.password_change_failed", true];
	case "factor_bound":
		return good ? ["event.factor_bound", false] : ["event.factor_failed", true];
	case "factor_disabled":
		return ["event.factor_disabled", true];
	default:
		return [`event.${event.kind}`, false];
	}
}

/* Newest first.  A right password is news by itself only where no code came after it. */
function worthTelling(events) {
	let signedIn = null;
	return events.filter((event) => {
		if (event.kind === "login_code" && event.outcome === "granted")
			signedIn = event;
		if (event.kind !== "login_password" || event.outcome !== "challenge" || signedIn === null)
			return true;
		const followed = signedIn.source === event.source
			&& new Date(signedIn.at) - new Date(event.at) < CODE_WINDOW_MS;
		signedIn = null;
		return !followed;
	});
}

function eventRow(event) {
	const [key, bad] = meaning(event);
	const words = has(key) ? text(key) : text("event.other", { kind: event.kind });
	return make("li", "", bad ? { class: "bad" } : {}, make("div", "", {}, make("p", words),
		make("p", "", { class: "small" }, when(event.at), ` · ${browserOf(event.user_agent)}, ${placeOf(event.source)}`)));
}

/* --- ending ------------------------------------------------------------------------------------------------------- */

/* The focus goes to the list's heading: the button that had it is gone with its line. */
async function end(body, titleId, doneKey) {
	const answer = await ask("POST", `${API}/end`, body);
	if (answer.status !== 204 && answer.status !== 404)
		return showRefusal(answer, enter);
	if (!await refresh())
		return undefined;
	announce(text(doneKey));
	return byId(titleId).focus();
}

async function endAll() {
	const answer = await ask("POST", `${API}/end`, { everything: true });
	if (answer.status !== 204)
		return showRefusal(answer, enter);
	stay();
	wipe();
	return show("safe");
}

function wipe() {
	for (const id of ["sessions", "devices", "events"])
		byId(id).replaceChildren();
}

onClick(byId("everywhere"), endAll, "activity.ending");
begin({ name: "activity", api: API, enter, wipe });
