// The page: it starts the worker, finds out who is logged in, and shows the view
// that the address names.

import { call, on, ready } from "./rpc.js";
import { busy, h, show } from "./dom.js";
import { words } from "./words.js";
import { refresh, reload, state } from "./state.js";
import { add, bar, setup } from "./setup.js";
import { accounts, forgetAll, login } from "./login.js";
import { changePIN } from "./changepin.js";
import { code, phone } from "./codes.js";
import { account, admin, inside } from "./account.js";
import { explainer } from "./explainer.js";

const nav = document.getElementById("nav");

function home() {
	if (state.session) return inside();
	state.byPhone = "";
	const ids = state.identities;
	if (ids.length === 0) return add();
	if (ids.length > 1) return accounts();
	return ids[0].state === "pending" ? setup(ids[0].hash) : login(ids[0].hash);
}

const views = { "": home, add, setup, login, accounts, pin: changePIN, code, phone, account, admin };

function route() {
	// A QR code's fragment is its 32 digits alone.
	const scanned = location.hash.match(/^#([0-9a-f]{32})$/i);
	if (scanned) {
		state.code = scanned[1];
		history.replaceState(null, "", "#/phone");
	}
	const [name, argument] = location.hash.replace(/^#\/?/, "").split("/");
	nav.replaceChildren(...links(name));
	(views[name] ?? home)(argument);
}

function links(name) {
	const link = (to, text) => h("a", { class: "nav", href: "#/" + to, "aria-current": name === to ? "page" : null }, text);
	return [
		state.session ? link("account", "Your devices") : null,
		state.device?.codes && state.identities.length > 0 ? link("phone", "Log in a screen") : null,
		link("admin", "Operator"),
	].filter(Boolean);
}

// stopped shows what keeps the page from working at all.
function stopped(title, text, ...more) {
	document.getElementById("boot")?.remove();
	show({ title, body: h("div", { class: "card center" }, bar(), h("h1", {}, title), h("p", { class: "lead" }, text), more) });
}

function retry() {
	const button = h("button", { class: "primary wide" }, "Try again");
	button.addEventListener("click", () => busy(button, start));
	return button;
}

const reasons = {
	load: ["This page did not load completely", "Check your connection and try again."],
	suite: ["This page does not fit the service", "The service computes on a curve that this page was not built with. Its operator can build the page with every curve."],
	unreachable: ["The service cannot be reached", () => words({ kind: "unreachable" })],
	server: ["The service is down", "It is not your fault, and your PIN is safe. Please try again shortly."],
	locked: ["This browser has lost its key", "What it keeps for you can no longer be opened. Forget it, and set this device up again."],
	damaged: ["What this browser keeps is damaged", "Forget it, and set this device up again."],
};

async function start() {
	if (!isSecureContext || !globalThis.crypto?.subtle || !navigator.locks) {
		const safe = "https://" + location.hostname;
		return stopped("A secure connection is needed", [
			"Browsers keep secrets only for pages that come over HTTPS. Open this page at an address that begins with ",
			h("strong", { class: "address" }, safe), ", or ask who runs it for that address.",
		]);
	}
	try {
		await ready;
		[state.device] = await Promise.all([call("open"), refresh()]);
		await reload();
	} catch (failure) {
		const [title, text] = reasons[failure.kind] ?? ["This does not work at the moment", words(failure)];
		const broken = failure.kind === "locked" || failure.kind === "damaged";
		return stopped(title, typeof text === "function" ? text() : text,
			failure.kind === "load" ? h("button", { class: "primary wide", onclick: () => location.reload() }, "Try again") : retry(),
			broken ? h("button", { class: "wide", onclick: () => forgetAll().then(start) }, "Forget this browser") : null);
	}
	route();
	// What the tests measure: from here on it can be seen and used.
	requestAnimationFrame(() => setTimeout(() => performance.mark("mpin-usable")));
}

const toggle = explainer();
document.getElementById("tools").append(toggle);
on("progress", ({ part }) => {
	const progress = document.querySelector("#boot progress");
	if (progress) progress.value = part;
});
addEventListener("hashchange", () => { if (state.device) route(); });
start();
