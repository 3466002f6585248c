// Logging in with a PIN, and what may stand in the way.

import { call, prepare } from "./rpc.js";
import { ask, avatar, busy, h, show } from "./dom.js";
import { pad } from "./pad.js";
import { words } from "./words.js";
import { bar } from "./setup.js";
import { go, identity, refresh, reload, state } from "./state.js";

const who = (id) => h("div", { class: "who" }, avatar(id.userId), h("span", {}, id.userId));

// login asks for the PIN of an identity.
export function login(hash) {
	const id = identity(hash);
	if (!id) return go("");
	if (id.state === "pending") return go("setup/" + hash);
	if (id.state === "blocked") return blocked(id);
	const { min, max } = state.device.pin;
	const p = pad({
		action: "Log in", min, max,
		async submit() {
			let welcome;
			try {
				welcome = await call("login", { id: id.id }, { pin: true });
			} catch (failure) {
				return refused(failure, id, p);
			}
			// What the tests measure: the worker's time without its waiting, that of it
			// which went into cryptography, and what was computed before the PIN came.
			performance.measure("mpin-login-work", { start: 0, duration: welcome.workMs });
			performance.measure("mpin-login-crypto", { start: 0, duration: welcome.cryptoMs });
			performance.measure("mpin-login-ahead", { start: 0, duration: welcome.aheadMs });
			await Promise.all([refresh(), reload()]);
			go("");
		},
		extra: [
			h("div", { class: "after" },
				h("a", { class: "link", href: "#/accounts" }, state.identities.length > 1 ? "Another account" : "Accounts on this device"),
				state.device.codes ? h("a", { class: "link", href: "#/code" }, "Use a phone") : null),
		],
	});
	show({
		title: "Log in",
		body: h("div", { class: "card pad-card" }, who(id), h("h1", {}, "Enter your PIN"), p.form),
		focus: p.input, leave: p.leave,
	});
	prepare(id.id);
}

// refused shows why a login failed: at the pad where another try may help.
export async function refused(failure, id, p, particular) {
	if (failure.kind === "blocked") {
		await reload();
		return blocked(id);
	}
	if (failure.kind === "revoked") return revoked(id);
	if (failure.kind === "unknownIdentity") return blocked(id, "The service no longer knows this device",
		"It may have been set up too long ago. Set it up again to go on.");
	p.fail(words(failure, particular));
}

// blocked offers to start again.
export function blocked(id, title = "This device is blocked", text = "A wrong PIN was entered too many times, so this device can no longer log in. Your account is safe. Set the device up again to choose a new PIN.") {
	const problem = h("p", { class: "error", "aria-live": "assertive" });
	const button = h("button", { class: "primary wide" }, "Set up again");
	button.addEventListener("click", () => busy(button, async () => {
		try {
			const next = await call("register", { userId: id.userId, deviceName: id.deviceName });
			await reload();
			go("setup/" + next.hash);
		} catch (failure) {
			problem.textContent = words(failure);
		}
	}));
	show({
		title,
		body: h("div", { class: "card center" }, bar(), h("h1", {}, title),
			h("p", { class: "lead" }, h("strong", { class: "block" }, id.userId), text),
			button, problem,
			h("div", { class: "after" }, h("a", { class: "link", href: "#/accounts" }, "Accounts on this device"))),
	});
}

// revoked says that only the service can help.
export function revoked(id) {
	show({
		title: "Access withdrawn",
		body: h("div", { class: "card center" }, bar(), h("h1", {}, "Access withdrawn"),
			h("p", { class: "lead" }, h("strong", { class: "block" }, id.userId),
				"The service no longer lets this account or device in. If you think that is a mistake, ask its support. Your PIN was not counted as wrong."),
			h("a", { class: "button primary wide", href: "#/accounts" }, "Accounts on this device")),
	});
}

const labels = { pending: "Not set up yet", active: "", blocked: "Blocked" };

// accounts lists the identities.
export function accounts() {
	if (state.identities.length === 0) return go("add");
	const list = h("ul", { class: "rows" }, state.identities.map((id) => h("li", {},
		h("a", { class: "row", href: (id.state === "pending" ? "#/setup/" : "#/login/") + id.hash },
			avatar(id.userId),
			h("span", { class: "row-text" }, h("strong", {}, id.userId), h("small", {}, [id.deviceName, labels[id.state]].filter(Boolean).join(" · "))),
			h("svg", { class: "chevron", viewBox: "0 0 10 16", width: "10", height: "16", "aria-hidden": "true" }, h("path", { d: "M2 2l6 6-6 6" }))),
		h("button", {
			class: "quiet icon", "aria-label": "Remove " + id.userId, onclick: () => remove(id),
		}, h("svg", { viewBox: "0 0 20 20", width: "20", height: "20", "aria-hidden": "true" }, h("path", { d: "M5 5l10 10M15 5L5 15", fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round" }))))));
	show({
		title: "Accounts on this device",
		body: h("div", { class: "card" },
			h("h1", {}, "Who is logging in?"),
			list,
			h("div", { class: "actions column" },
				h("a", { class: "button wide", href: "#/add" }, "Add an account"),
				state.device.codes ? h("a", { class: "button wide", href: "#/code" }, "Log in with a phone") : null),
			h("div", { class: "after" }, h("button", { class: "link", onclick: forgetAll }, "Forget this browser"))),
	});
}

async function remove(id) {
	if (!await ask({
		title: "Remove this account?", text: `${id.userId} can then log in here only after setting this device up again.`,
		yes: "Remove", danger: true,
	})) return;
	await call("forget", { id: id.id });
	await reload();
	go("accounts");
}

export async function forgetAll() {
	if (!await ask({
		title: "Forget this browser?", text: "All accounts are removed from this browser. To log in here again, each has to be set up anew.",
		yes: "Forget", danger: true,
	})) return;
	await call("forgetEverything");
	await reload();
	go("");
}
