// Changing the PIN of this device. The old one is checked by a login before
// anything else, so that a slip of the finger cannot ruin the token, and the new
// one by another before the token is replaced.

import { call, prepare } from "./rpc.js";
import { avatar, h, show } from "./dom.js";
import { pad } from "./pad.js";
import { words } from "./words.js";
import { choose, tick } from "./setup.js";
import { refused } from "./login.js";
import { go, identity, refresh, reload, state } from "./state.js";

// changePIN asks for the old PIN.
export function changePIN(hash, problem = "") {
	const id = identity(hash);
	if (id?.state !== "active") return go(id ? "login/" + hash : "");
	const { min, max } = state.device.pin;
	const back = state.session ? "account" : "login/" + hash;
	const p = pad({
		action: "Continue", min, max,
		async submit() {
			try {
				await call("login", { id: id.id }, { pin: true, keep: true });
			} catch (failure) {
				return refused(failure, id, p);
			}
			await call("keepOld");
			// Whoever goes elsewhere does not change it.
			addEventListener("hashchange", () => call("forgetOld"), { once: true });
			await refresh();
			choose(id, change);
		},
		extra: [h("a", { class: "link", href: "#/" + back }, "Cancel")],
	});
	show({
		title: "Change the PIN",
		body: h("div", { class: "card pad-card" },
			h("div", { class: "who" }, avatar(id.userId), h("span", {}, id.userId)),
			h("h1", {}, "Enter your old PIN"),
			h("p", { class: "lead" }, "It is checked first, by a login."),
			p.form),
		focus: p.input, leave: p.leave,
	});
	if (problem) p.fail(problem);
	prepare(id.id);
}

// change is the purpose of the new PIN; see choose.
const change = {
	title: "Choose a new PIN",
	cancel: () => go("account"),
	check: async () => await call("sameAsOld") ? "That is your PIN already. Choose another one." : "",
	async set(id) {
		await call("changePIN", { id: id.id }, { pin: true, withOld: true });
		await call("forgetOld");
		await Promise.all([refresh(), reload()]);
		changed(id);
	},
	async failed(failure, id) {
		const again = { oldForgotten: words(failure), wrongPIN: "The old PIN is not right any more. Enter it again." }[failure.kind];
		if (again) return changePIN(id.hash, again);
		if (failure.kind === "blocked" || failure.kind === "revoked" || failure.kind === "unknownIdentity") return refused(failure, id);
		choose(id, change, words(failure, {
			unreachable: "The service does not answer, so your old PIN still holds. Please try again.",
			server: "The service has a problem, so your old PIN still holds. Please try again.",
		}));
	},
};

function changed(id) {
	show({
		title: "PIN changed",
		body: h("div", { class: "card center" },
			tick(),
			h("h1", {}, "Your PIN is changed"),
			h("p", { class: "lead" }, h("strong", {}, id.userId), " logs in on this device with the new PIN from now on."),
			h("p", { class: "note" }, "It is the PIN of this browser only. Other devices of yours keep the one that they have: change it on each of them."),
			h("a", { class: "button primary wide", href: "#/" }, "Done")),
	});
}
