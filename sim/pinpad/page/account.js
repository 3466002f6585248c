// The demonstration's own pages: who is logged in, the devices, and the
// operator's page for withdrawing access.

import { json } from "./rpc.js";
import { ask, avatar, busy, field, h, say, show } from "./dom.js";
import { words } from "./words.js";
import { go, refresh, state } from "./state.js";

const moment = (ms) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(ms);
const watchEvery = 2000;

// watch notices that the session has ended elsewhere, as when the phone that
// logged this screen in has logged it out.
function watch() {
	const timer = setInterval(async () => {
		if (document.hidden) return;
		try {
			if (await refresh() && !state.session) {
				go("");
				say("You have been logged out.");
			}
		} catch {
			// Whether the service is there shows when something is asked of it.
		}
	}, watchEvery);
	return () => clearInterval(timer);
}

async function logout(button, problem) {
	await busy(button, async () => {
		try {
			await json("POST", "/logout");
			await refresh();
			go("");
		} catch (failure) {
			problem.textContent = words(failure);
		}
	});
}

// inside is the page after the login.
export function inside() {
	const { userId, since, expires } = state.session;
	const problem = h("p", { class: "error", "aria-live": "assertive" });
	const out = h("button", { class: "wide" }, "Log out");
	out.addEventListener("click", () => logout(out, problem));
	const byPhone = state.byPhone === userId;
	show({
		title: "Logged in",
		body: h("div", { class: "card center" },
			h("span", { class: "avatar big good", "aria-hidden": "true" }, userId.match(/[\p{L}\p{N}]/u)?.[0]?.toUpperCase() ?? "?"),
			h("h1", {}, "You are logged in"),
			h("p", { class: "lead" }, h("strong", { id: "user-name" }, userId), byPhone ? h("span", { class: "block" }, "with your phone") : null),
			h("dl", { class: "facts" },
				h("div", {}, h("dt", {}, "Since"), h("dd", {}, moment(since))),
				h("div", {}, h("dt", {}, "Ends by itself"), h("dd", {}, moment(expires)))),
			h("a", { class: "button primary wide", href: "#/account" }, "Your devices"),
			out, problem,
			state.device.codes && state.identities.some((id) => id.state === "active")
				? h("div", { class: "after" }, h("a", { class: "link", href: "#/phone" }, "Log in another screen")) : null),
		leave: watch(),
	});
}

function badge(device) {
	if (device.revoked) return h("span", { class: "badge bad" }, "Revoked");
	if (device.current) return h("span", { class: "badge good" }, "This device");
	if (!device.active) return h("span", { class: "badge" }, "Not activated");
	return null;
}

const icon = (mobile) => mobile
	? h("svg", { class: "device", viewBox: "0 0 24 24", width: "24", height: "24", "aria-hidden": "true" }, h("rect", { x: "7", y: "2.5", width: "10", height: "19", rx: "2.2" }), h("path", { d: "M11 18.5h2" }))
	: h("svg", { class: "device", viewBox: "0 0 24 24", width: "24", height: "24", "aria-hidden": "true" }, h("rect", { x: "2.5", y: "4.5", width: "19", height: "12.5", rx: "1.8" }), h("path", { d: "M9 20.5h6" }));

// rows lists devices, each with what can be done with it.
function rows(devices, act) {
	return h("ul", { class: "rows" }, devices.map((d) => h("li", { class: "row still" },
		icon(d.mobile),
		h("span", { class: "row-text" },
			h("strong", {}, d.name || (d.mobile ? "Phone" : "Browser")),
			h("small", {}, "Since " + moment(d.registered)), badge(d)),
		act(d))));
}

// account lists the devices of who is logged in.
export async function account() {
	if (!state.session) return go("");
	const problem = h("p", { class: "error", "aria-live": "assertive" });
	const place = h("div", { class: "place", "aria-busy": "true" });
	const out = h("button", { class: "wide" }, "Log out");
	out.addEventListener("click", () => logout(out, problem));
	const here = state.identities.find((id) => id.userId === state.session.userId && id.state === "active");
	show({
		title: "Your devices",
		body: h("div", { class: "card" },
			h("h1", {}, "Your devices"),
			h("p", { class: "lead" }, "What can log in as ", h("strong", {}, state.session.userId), ". Revoke what you have lost."),
			place, problem,
			h("div", { class: "actions column" },
				here ? h("a", { class: "button wide", href: "#/pin/" + here.hash }, "Change the PIN of this device") : null,
				out),
			h("div", { class: "after" }, h("a", { class: "link", href: "#/" }, "Back"))),
		leave: watch(),
	});
	const fill = async () => {
		const { devices } = await json("GET", "/devices");
		place.removeAttribute("aria-busy");
		place.replaceChildren(rows(devices, (d) => d.revoked ? null
			: h("button", { class: "small", "aria-label": `Revoke ${d.name || "device"}`, onclick: () => revoke(d) }, "Revoke")));
	};
	async function revoke(d) {
		if (!await ask({
			title: d.current ? "Revoke this device?" : "Revoke this device?",
			text: d.current
				? "It is the one that you are using: you will be logged out, and it cannot log in again until an operator restores it."
				: `${d.name || "The device"} will not be able to log in any more.`,
			yes: "Revoke", danger: true,
		})) return;
		await attempt(async () => {
			await json("POST", "/devices/revoke", { device: d.id });
			if (d.current) {
				await refresh();
				return go("");
			}
			await fill();
			say("Revoked.");
		});
	}
	async function attempt(f) {
		try {
			problem.textContent = "";
			await f();
		} catch (failure) {
			if (failure.kind === "loggedOut") {
				await refresh().catch(() => {});
				return go("");
			}
			problem.textContent = words(failure);
		}
	}
	await attempt(fill);
}

let token = ""; // the operator's, where the page is not on the operator's machine

// admin is the operator's page.
export function admin() {
	const user = field({ id: "admin-user", label: "User ID", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: "256" });
	const key = field({ id: "admin-token", label: "Operator's token", hint: "Needed when this is not the machine that the service runs on.", type: "password", autocomplete: "off" });
	key.box.hidden = !token;
	const button = h("button", { class: "primary wide" }, "Show");
	const place = h("div", { class: "place" });
	const form = h("form", { novalidate: true, class: "stack" }, user.box, key.box, button);
	const headers = () => token ? { Authorization: "Bearer " + token } : {};
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		if (key.input.value) token = key.input.value;
		user.fail("");
		if (!user.input.value.trim()) return user.fail("Enter a user ID.");
		busy(button, () => look(user.input.value.trim()));
	});

	async function attempt(f) {
		try {
			await f();
		} catch (failure) {
			if (failure.kind === "forbidden") {
				key.box.hidden = false;
				key.fail(token ? "This token is not right." : "Enter the token.");
			} else user.fail(words(failure, { malformed: "This cannot be a user ID." }));
		}
	}

	const look = (userId) => attempt(async () => {
		const found = await json("GET", "/admin/account?user=" + encodeURIComponent(userId), undefined, headers());
		const set = (revoked, whom) => attempt(async () => {
			await json("POST", revoked ? "/admin/revoke" : "/admin/unrevoke", whom, headers());
			await look(userId);
			say(revoked ? "Revoked." : "Restored.");
		});
		const toggle = (revoked, whom, name) => h("button", {
			class: revoked ? "small" : "small danger-text", "aria-label": `${revoked ? "Restore" : "Revoke"} ${name}`, onclick: () => set(!revoked, whom),
		}, revoked ? "Restore" : "Revoke");
		place.replaceChildren(
			h("h2", {}, "User"),
			h("ul", { class: "rows" }, h("li", { class: "row still" }, avatar(found.userId),
				h("span", { class: "row-text" }, h("strong", {}, found.userId),
					found.revoked ? h("span", { class: "badge bad" }, "Revoked") : h("small", {}, "Has access, with every device")),
				toggle(found.revoked, { userId: found.userId }, found.userId))),
			h("h2", {}, "Devices"),
			found.devices.length === 0 ? h("p", { class: "hint" }, "This user has registered no device.")
				: rows(found.devices, (d) => toggle(d.revoked, { device: d.id }, d.name || "device")));
	});

	show({
		title: "Operator",
		body: h("div", { class: "card" },
			h("h1", {}, "Withdraw access"),
			h("p", { class: "lead" }, "Revoking takes effect at once: sessions end, and no permit is given out for the day."),
			form, place,
			h("div", { class: "after" }, h("a", { class: "link", href: "#/" }, "Back"))),
		focus: matchMedia("(pointer: fine)").matches ? user.input : null,
	});
}
