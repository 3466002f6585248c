// The global authenticator: a screen shows an access number and a QR code, and a
// phone that scans or types it logs that screen in. The PIN stays on the phone.

import { call, on, prepare } from "./rpc.js";
import { avatar, busy, field, h, say, show } from "./dom.js";
import { pad } from "./pad.js";
import { words } from "./words.js";
import { refused } from "./login.js";
import { bar, tick } from "./setup.js";
import { go, refresh, state } from "./state.js";

const spaced = (number) => number.slice(0, 3) + "\u2009" + number.slice(3);

// drawn makes a picture of a QR code's rows, with its quiet zone.
function drawn(rows, label) {
	const n = rows.length;
	let d = "";
	rows.forEach((row, y) => {
		for (const run of row.matchAll(/1+/g)) d += `M${run.index + 4} ${y + 4}h${run[0].length}v1h-${run[0].length}z`;
	});
	return h("svg", { class: "qr", role: "img", "aria-label": label, viewBox: `0 0 ${n + 8} ${n + 8}`, "shape-rendering": "crispEdges" },
		h("rect", { width: n + 8, height: n + 8, fill: "#fff" }), h("path", { d, fill: "#000" }));
}

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

// code shows the two codes until a phone has used one.
export async function code() {
	if (state.session) return go("");
	const frame = h("div", { class: "card code-card" },
		h("h1", {}, "Log in with your phone"),
		h("p", { class: "lead" }, "Scan the code with a phone that is set up, or enter the number there. Your PIN stays on the phone."),
		h("div", { class: "code-box", "aria-busy": "true" }, h("div", { class: "qr-frame" }, h("span", { class: "spinner", "aria-hidden": "true" })), h("div", { class: "code-side" })),
		h("div", { class: "after" }, h("a", { class: "link", href: "#/" }, "Cancel")));
	let over = false; // nothing that comes now is news
	let timer = 0;
	const stop = on("code", news);
	show({
		title: "Log in with your phone", body: frame,
		leave: () => {
			over = true;
			clearInterval(timer);
			stop();
			call("cancelCodes").catch(() => {});
		},
	});
	const box = frame.querySelector(".code-box");
	const status = h("p", { class: "code-status", role: "status" });

	function end(title, text) {
		over = true;
		clearInterval(timer);
		box.removeAttribute("aria-busy");
		box.replaceChildren(h("div", { class: "code-end" }, bar(), h("h2", {}, title), h("p", {}, text),
			h("button", { class: "primary", onclick: () => code() }, "New code")));
		say(title);
	}

	async function news({ status: at, userId, kind }) {
		if (over) return;
		switch (at) {
		case "wid":
			status.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), "A phone has your code");
			break;
		case "user":
			status.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), h("span", {}, h("strong", {}, userId), " is entering the PIN"));
			break;
		case "authenticate":
			status.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), "Logging in");
			break;
		case "expired":
			call("cancelCodes").catch(() => {});
			end("This code is no longer good", "It was cancelled on the phone, or its time is over. Nobody was logged in.");
			break;
		case "done":
			over = true;
			await refresh();
			state.byPhone = userId;
			go("");
			break;
		case "failed":
			if (kind === "expired") end("This code has expired", "Codes are good for five minutes.");
			else end("That did not work", words({ kind }, { wrongPIN: "The login was not accepted." }));
		}
	}

	let shown;
	try {
		shown = await call("codes");
	} catch (failure) {
		if (!over) end("No code to be had", words(failure));
		return;
	}
	if (over) return;
	const left = h("span", { class: "countdown" });
	const line = h("progress", { class: "thin", max: shown.seconds, value: shown.seconds, "aria-label": "Time left" });
	status.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), "Waiting for your phone");
	box.removeAttribute("aria-busy");
	box.replaceChildren(
		h("div", { class: "qr-frame" }, drawn(shown.qr, "QR code for the phone; the number beside it does the same")),
		h("div", { class: "code-side" },
			h("p", { class: "code-label", id: "number-label" }, "Access number"),
			h("p", { class: "number", "aria-labelledby": "number-label number" , id: "number", "data-number": shown.number }, spaced(shown.number)),
			h("p", { class: "hint code-where" }, "On the phone, open ", h("b", {}, location.host), " and choose ", h("b", {}, "Log in a screen"), "."),
			h("div", { class: "code-time" }, line, h("p", {}, "Valid for ", left)),
			status));
	frame.dataset.link = shown.link;
	const until = performance.now() + 1000 * shown.seconds;
	const count = () => {
		const seconds = Math.max(0, Math.round((until - performance.now()) / 1000));
		left.textContent = minutes(seconds);
		line.value = seconds;
		if (seconds === 0) {
			call("cancelCodes").catch(() => {});
			end("This code has expired", "Codes are good for five minutes.");
		}
	};
	count();
	timer = setInterval(count, 1000);
}

// phone logs another screen in: with the code that was scanned, or asks for it.
export async function phone() {
	if (state.code) return scanned(state.code);
	const digits = state.device.numberDigits;
	const number = field({
		id: "number", label: "Access number", hint: `The ${digits} digits on the screen that you want to log in.`,
		type: "text", inputmode: "numeric", autocomplete: "off", maxlength: String(digits + 3), class: "big",
	});
	const button = h("button", { class: "primary wide" }, "Continue");
	const form = h("form", { novalidate: true, class: "stack" }, number.box, button);
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		number.fail("");
		const code = number.input.value.replace(/[\s\u2009-]/g, "");
		if (code.length !== digits || /\D/.test(code)) return number.fail(`Enter the ${digits} digits.`);
		busy(button, async () => {
			try {
				await call("scanned", { code });
			} catch (failure) {
				return number.fail(words(failure, { expired: "This number has expired. Get a new one on the screen." }));
			}
			state.code = code;
			scanned(code);
		});
	});
	show({
		title: "Log in a screen",
		body: h("div", { class: "card" },
			h("h1", {}, "Log in a screen"),
			h("p", { class: "lead" }, "Another screen is logged in with the PIN that you enter here."),
			form,
			h("div", { class: "after" }, h("a", { class: "link", href: "#/" }, "Cancel"))),
		focus: matchMedia("(pointer: fine)").matches ? number.input : null,
	});
}

function message(title, text, ...more) {
	state.code = "";
	show({
		title,
		body: h("div", { class: "card center" }, bar(), h("h1", {}, title), h("p", { class: "lead" }, text), more,
			h("a", { class: "button primary wide", href: "#/phone" }, "Enter a number"),
			h("div", { class: "after" }, h("a", { class: "link", href: "#/" }, "Cancel"))),
	});
}

// scanned chooses who logs the screen in.
async function scanned(code) {
	const active = state.identities.filter((id) => id.state === "active");
	if (active.length === 0) {
		show({
			title: "Set up this phone first",
			body: h("div", { class: "card" },
				h("h1", {}, "Set up this phone first"),
				h("p", { class: "lead" }, "You are almost there: set up this phone once, and then log the screen in with your PIN."),
				h("a", { class: "button primary wide", href: "#/add" }, "Set up"),
				h("div", { class: "after" }, h("button", { class: "link", onclick: () => { state.code = ""; go(""); } }, "Cancel"))),
		});
		return;
	}
	try {
		await call("scanned", { code });
	} catch (failure) {
		if (failure.kind === "unknownCode" || failure.kind === "expired") {
			return message("This code is no longer good", "It has expired or was used already. Get a new one on the screen.");
		}
		return message("That did not work", words(failure));
	}
	if (active.length === 1) return confirm(code, active[0]);
	show({
		title: "Log in a screen",
		body: h("div", { class: "card" },
			h("h1", {}, "Who is logging in?"),
			h("p", { class: "lead" }, "Choose the account for the other screen."),
			h("ul", { class: "rows" }, active.map((id) => h("li", {}, h("button", { class: "row", onclick: () => confirm(code, id) },
				avatar(id.userId), h("span", { class: "row-text" }, h("strong", {}, id.userId), h("small", {}, id.deviceName)))))),
			h("div", { class: "after" }, h("button", { class: "link", onclick: () => give(code) }, "Cancel"))),
	});
}

async function give(code) {
	state.code = "";
	await call("decline", { code }).catch(() => {});
	go("");
}

// confirm asks for the PIN.
function confirm(code, id) {
	const { min, max } = state.device.pin;
	call("scanned", { code, userId: id.userId }).catch(() => {});
	const p = pad({
		action: "Log in the screen", min, max,
		async submit() {
			let approval;
			try {
				approval = await call("approve", { id: id.id, code }, { pin: true });
			} catch (failure) {
				if (failure.kind === "unknownCode") return message("This code is no longer good", "It has expired or was used already. Get a new one on the screen.");
				if (failure.kind === "expired") return message("The screen did not answer", "It was closed or took too long. Get a new code there.");
				return refused(failure, id, p);
			}
			state.code = "";
			approved(id, approval);
		},
		extra: [h("button", { type: "button", class: "link", onclick: () => give(code) }, "Cancel")],
	});
	show({
		title: "Log in a screen",
		body: h("div", { class: "card pad-card" },
			h("div", { class: "who" }, avatar(id.userId), h("span", {}, id.userId)),
			h("h1", {}, "Log in the other screen"),
			h("p", { class: "lead" }, "Only for a screen in front of you."),
			p.form),
		focus: p.input, leave: p.leave,
	});
	prepare(id.id);
}

function approved(id, approval) {
	const note = h("p", { class: "error", "aria-live": "assertive" });
	const out = h("button", { class: "wide" }, "Log that screen out");
	out.addEventListener("click", () => busy(out, async () => {
		try {
			await call("logoutBrowser", { approval });
			show({
				title: "Logged out",
				body: h("div", { class: "card center" }, tick(), h("h1", {}, "The screen is logged out"),
					h("p", { class: "lead" }, "Nobody is logged in there any more."),
					h("a", { class: "button wide", href: "#/" }, "Done")),
			});
		} catch (failure) {
			note.textContent = words(failure);
		}
	}));
	show({
		title: "Screen logged in",
		body: h("div", { class: "card center" }, tick(), h("h1", {}, "The screen is logged in"),
			h("p", { class: "lead" }, "as ", h("strong", {}, id.userId), ". You can log it out from here at any time."),
			approval ? out : null, note,
			h("div", { class: "after" }, h("a", { class: "link", href: "#/" }, "Done"))),
	});
}
