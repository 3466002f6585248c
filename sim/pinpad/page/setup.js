// Setting a browser up for a user: registering, activating, choosing a PIN.

import { call, digits } from "./rpc.js";
import { ask, avatar, busy, field, h, show } from "./dom.js";
import { pad } from "./pad.js";
import { words } from "./words.js";
import { go, reload, state, identity } from "./state.js";

// A phone's page says so to the service, which shows it in the list of devices.
const isPhone = navigator.userAgentData?.mobile ?? matchMedia("(pointer: coarse) and (max-width: 700px)").matches;

function deviceName() {
	const brands = navigator.userAgentData?.brands?.map((b) => b.brand).filter((b) => !/not.?a.?brand/i.test(b)) ?? [];
	const browser = brands.find((b) => b !== "Chromium") ?? brands[0] ?? (/Firefox/.test(navigator.userAgent) ? "Firefox" : "Browser");
	const system = navigator.userAgentData?.platform ?? (/iPhone|iPad/.test(navigator.userAgent) ? "iPhone" : /Mac/.test(navigator.userAgent) ? "Mac" : "");
	return system ? `${browser} on ${system}` : browser;
}

// add asks who registers.
export function add() {
	const user = field({
		id: "user", label: "User ID", hint: "For example your e-mail address.", type: "text", inputmode: "email",
		autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true, maxlength: "256",
	});
	const device = field({
		id: "device", label: "Name of this device", hint: "You will see it in your list of devices.", type: "text",
		autocomplete: "off", maxlength: "64", value: deviceName(),
	});
	const problem = h("p", { class: "error", "aria-live": "assertive" });
	const button = h("button", { class: "primary wide" }, "Continue");
	const form = h("form", { novalidate: true, class: "stack" }, user.box, state.device.setDeviceName ? device.box : null, problem, button);
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		const userId = user.input.value.trim();
		user.fail("");
		problem.textContent = "";
		if (!userId) return user.fail("Enter your user ID.");
		busy(button, async () => {
			try {
				const id = await call("register", { userId, deviceName: device.input.value.trim(), mobile: isPhone });
				navigator.storage?.persist?.();
				await reload();
				go("setup/" + id.hash);
			} catch (failure) {
				if (failure.kind === "other") user.fail("This cannot be a user ID here.");
				else problem.textContent = words(failure, { refused: "The service does not take registrations of this user." });
			}
		});
	});
	const none = state.identities.length === 0;
	show({
		title: "Set up this device",
		body: h("div", { class: "card" },
			h("h1", {}, none ? "Log in with a PIN" : "Add an account"),
			h("p", { class: "lead" }, none
				? "Set up this device once. From then on a short PIN is all you need; it never leaves the device."
				: "Set up this device for another user."),
			form,
			none
				? h("div", { class: "after" },
					state.device.codes ? h("a", { class: "link", href: "#/code" }, "Log in with a phone instead") : null)
				: h("div", { class: "after" }, h("a", { class: "link", href: "#/accounts" }, "Cancel"))),
		focus: matchMedia("(pointer: fine)").matches ? user.input : null,
	});
}

// setup brings a pending identity to its PIN.
export async function setup(hash) {
	let id = identity(hash);
	if (!id) return go("");
	if (id.state !== "pending") return go("login/" + hash);
	let left = false;
	const problem = h("p", { class: "error", "aria-live": "assertive" });
	const again = h("button", { type: "button" }, "Send it again");
	again.addEventListener("click", () => busy(again, anew));

	// anew registers once more; the identity may be another one then.
	async function anew() {
		problem.textContent = "";
		try {
			const next = await call("registerAgain", { id: id.id });
			await reload();
			if (next.hash !== hash) go("setup/" + next.hash);
			else id = next;
		} catch (failure) {
			problem.textContent = words(failure);
		}
	}

	async function attempt() {
		try {
			await call("enrol", { id: id.id });
			return true;
		} catch (failure) {
			if (failure.kind === "notActivated") {
				problem.textContent = "";
				return false;
			}
			if (failure.kind === "unknownIdentity") await anew();
			else problem.textContent = words(failure, { expired: "The link has expired. Send it again." });
			return false;
		}
	}

	if (await attempt()) return choose(id, enrolment);
	if (location.hash !== "#/setup/" + hash) return;
	show({
		title: "Check your mail",
		body: h("div", { class: "card" },
			avatar(id.userId),
			h("h1", {}, "Check your mail"),
			h("p", { class: "lead" }, "We have sent a link to ", h("strong", {}, id.userId), ". Open it to confirm that it is you, then come back here."),
			h("p", { class: "waiting" }, h("span", { class: "spinner", "aria-hidden": "true" }), "Waiting for you to open the link"),
			problem,
			h("div", { class: "actions" },
				again,
				h("button", { type: "button", class: "quiet", onclick: () => cancel(id) }, "Cancel")),
			h("p", { class: "note" }, "No mail leaves this demonstration. ",
				h("a", { href: "/outbox?user=" + encodeURIComponent(id.userId), target: "_blank", rel: "noopener" }, "Open the mailbox"), " in a new tab.")),
		leave: () => { left = true; },
	});
	while (!left) {
		await new Promise((resolve) => setTimeout(resolve, 1500));
		if (!left && !document.hidden && await attempt() && !left) return choose(id, enrolment);
	}
}

async function cancel(id) {
	await call("forget", { id: id.id });
	await reload();
	go("");
}

const advice = {
	repeated: "It repeats the same digits.",
	sequence: "Its digits stand in a row.",
	date: "It looks like a date or a year.",
	pattern: "It is a simple pattern on the keys.",
};

// enrolment is the purpose of a PIN that is chosen for the first time; see choose.
const enrolment = {
	title: "Choose a PIN",
	cancel,
	async set(id) {
		await call("finish", { id: id.id }, { pin: true });
		await reload();
		done(id);
	},
	failed: (failure, id) => choose(id, enrolment, words(failure)),
};

// choose asks for a PIN, twice. The purpose says what it is for: set uses up the
// digits, failed tells why it did not, check, where there is one, objects to them.
export function choose(id, purpose, problem = "") {
	const { min, max } = state.device.pin;
	const p = pad({
		action: "Continue", min, max,
		async submit() {
			let reason;
			try {
				reason = await call("weak", {}, { pin: true, keep: true });
				const objection = await purpose.check?.();
				if (objection) return p.fail(objection);
			} catch (failure) {
				return p.fail(words(failure));
			}
			if (reason && !await ask({
				title: "This PIN is easy to guess", text: advice[reason] + " Many people choose one like it, and it would be tried first.",
				yes: "Use it anyway", no: "Choose another",
			})) return;
			await call("keep");
			repeat(id, purpose);
		},
		extra: [h("button", { type: "button", class: "link", onclick: () => purpose.cancel(id) }, "Cancel")],
	});
	show({
		title: purpose.title,
		body: h("div", { class: "card pad-card" },
			h("div", { class: "who" }, avatar(id.userId), h("span", {}, id.userId)),
			h("h1", {}, purpose.title),
			h("p", { class: "lead" }, min === max ? `${min} digits that only you know.` : `${min} to ${max} digits that only you know.`),
			p.form),
		focus: p.input, leave: p.leave,
	});
	if (problem) p.fail(problem);
}

// repeat asks for it again and has it set.
function repeat(id, purpose) {
	const { min, max } = state.device.pin;
	const p = pad({
		action: "Set PIN", min, max,
		async submit() {
			if (!await call("same")) return choose(id, purpose, "The two PINs differ. Please choose one again.");
			try {
				await purpose.set(id);
			} catch (failure) {
				await purpose.failed(failure, id);
			}
		},
		extra: [h("button", { type: "button", class: "link", onclick: () => { digits.clear(); choose(id, purpose); } }, "Choose another")],
	});
	show({
		title: "Repeat the PIN",
		body: h("div", { class: "card pad-card" },
			h("div", { class: "who" }, avatar(id.userId), h("span", {}, id.userId)),
			h("h1", {}, "Enter it again"),
			h("p", { class: "lead" }, "To be sure that you know it."),
			p.form),
		focus: p.input, leave: p.leave,
	});
}

function done(id) {
	show({
		title: "All set",
		body: h("div", { class: "card center" },
			tick(),
			h("h1", {}, "This device is ready"),
			h("p", { class: "lead" }, h("strong", {}, id.userId), " can log in here with the PIN. It is stored nowhere: keep it in mind, and tell nobody."),
			h("a", { class: "button primary wide", href: state.code ? "#/phone" : "#/login/" + id.hash }, state.code ? "Go on" : "Log in")),
	});
}

export const tick = () => h("svg", { class: "sign good", viewBox: "0 0 56 56", width: "56", height: "56", "aria-hidden": "true" },
	h("circle", { cx: "28", cy: "28", r: "27" }), h("path", { d: "M17 29l8 8 15-17" }));
export const bar = () => h("svg", { class: "sign bad", viewBox: "0 0 56 56", width: "56", height: "56", "aria-hidden": "true" },
	h("circle", { cx: "28", cy: "28", r: "27" }), h("path", { d: "M28 15v17 M28 39v.5" }));
