// The explainer: the messages of the protocol as they pass, for a lecturer. It is
// told what goes over the wire openly, never a PIN, a token or a one-time token.

import { on } from "./rpc.js";
import { h } from "./dom.js";

const browser = "This device", server = "M-Pin server", authority = "Trusted authorities", app = "Application";

// steps say what each step is: name, way, text, and which values to show.
const steps = {
	settings: ["Settings", [server, browser], "Where the servers are, and on which curve the service computes."],
	register: ["Registration", [browser, server], "The service makes up an identity. Its hash stands for it everywhere; the point A = H(identity) on the curve is made of it."],
	signature: ["First half of the secret", [authority, browser], "s₁·A from the first authority, which alone knows s₁."],
	clientSecret: ["Second half of the secret", [authority, browser], "s₂·A from the other. Their sum s·A exists on this device only, and only until the PIN is chosen: the token kept is s·A − PIN·A."],
	setupDone: ["Set-up done", [browser, server], "The device has its token. Every PIN fits some secret, so the token alone tells nobody the PIN."],
	timePermit: ["Permit for the day, first half", [server, browser], "s₁·A_T, for today only. Whoever is revoked gets none."],
	permitStorage: ["Permit, second half", [authority, browser], "s₂·A_T, published ahead of time under the identity's hash."],
	permitDTA: ["Permit, second half", [authority, browser], "s₂·A_T, straight from the authority."],
	websocket: ["WebSocket", [browser, server], "The two passes went over one connection."],
	prepare: ["Made ready", [browser, browser], "While the PIN is being typed: the points of identity, day, token and permit, and a throw-away proof to warm up."],
	compute1: ["Commitment", [browser, browser], "A fresh random x; U = x·A and U_T = x·(A + A_T)."],
	pass1: ["Pass 1", [browser, server], "The device commits itself, with a proof that U and U_T have the same x; the server answers with a random challenge y."],
	compute2: ["Response", [browser, browser], "V = −(x + y)·(token + PIN·A + permit). Only the right PIN makes the bracket s·(A + A_T)."],
	pass2: ["Pass 2", [browser, server], "The response. No answer yet whether the PIN was right."],
	authenticate: ["Verdict", [server, app], "The application has the server check e(V, Q) · e(U_T + y·(A + A_T), s·Q) = 1."],
	mobileAuthenticate: ["Verdict for the phone", [server, browser], "The server checks e(V, Q) · e(U_T + y·(A + A_T), s·Q) = 1, and hands the login to the other screen."],
	accessNumber: ["Access number", [server, browser], "A number for a phone to type. This screen keeps a secret of its own to ask with."],
	qrCode: ["QR code", [server, browser], "The same for a phone to scan."],
	access: ["How far is the phone?", [browser, server], "This screen asks every second."],
	codeStatus: ["Phone has the code", [browser, server], "So that the screen can show it."],
	logout: ["Log-out", [browser, app], "The session ends."],
};

const names = { hash: "hash", U: "U", UT: "U_T", y: "y", V: "V", proof: "proof", date: "day", userId: "user", status: "state" };
const verdicts = {
	"": ["The product is 1: the PIN was right.", "good"],
	wrongPIN: ["The product is not 1: the PIN was wrong. The server counts.", "bad"],
	blocked: ["Too many failures: not even the right PIN helps now.", "bad"],
	revoked: ["Revoked.", "bad"],
};
const failures = {
	notActivated: "Not activated yet.", revoked: "Refused: revoked.", unreachable: "No answer.", server: "The server failed.",
	unknownCode: "No such code.", expired: "Expired.",
};

const panel = document.getElementById("explainer");
const list = h("ol", { class: "steps", tabindex: "0", "aria-label": "Messages, the latest last" });
const empty = h("p", { class: "hint" }, "Log in or set up a device, and the messages appear here.");
const most = 200;
let lastKey = "";
let toggle;

const short = (text) => text.length > 36 ? text.slice(0, 18) + "…" + text.slice(-10) : text;

// sub writes U_T with a subscript.
const sub = (text) => text.split(/(_T|₁|₂)/).map((part) => part === "_T" ? h("sub", {}, "T") : part);

function value(name, text) {
	const cut = short(text);
	return [
		h("dt", {}, sub(names[name] ?? name)),
		h("dd", {}, cut === text ? h("code", {}, text)
			: h("details", {}, h("summary", {}, h("code", {}, cut)), h("code", { class: "whole" }, text))),
	];
}

function add({ step, ms, kind, public: values = {} }) {
	const known = steps[step];
	if (!known) return;
	const key = step + "/" + (kind ?? "") + "/" + (values.status ?? "") + (values.userId ?? "");
	// What is asked every second is shown when the answer changes.
	if ((step === "access" || step === "prepare" || kind === "notActivated") && key === lastKey) return;
	lastKey = key;
	const [name, [from, to], text] = known;
	const local = from === to;
	const judged = step === "authenticate" || step === "mobileAuthenticate";
	const verdict = judged ? verdicts[kind ?? ""] ?? [failures[kind] ?? "Refused.", "bad"] : null;
	const shown = Object.keys(names).filter((k) => values[k]).map((k) => [k, values[k]]);
	empty.remove();
	list.append(h("li", { class: ["step", local ? "local" : "", verdict?.[1] ?? (kind ? "bad" : "")].filter(Boolean).join(" ") },
		h("div", { class: "step-head" },
			h("h3", {}, name),
			h("span", { class: "step-time" }, ms < 10 ? ms.toFixed(1) + " ms" : Math.round(ms) + " ms")),
		h("p", { class: "step-way" }, local ? "computed on this device" : [from, h("span", { "aria-hidden": "true" }, " → "), h("span", { class: "unseen" }, " to "), to]),
		h("p", {}, sub(text)),
		verdict ? h("p", { class: "verdict" }, verdict[0]) : kind ? h("p", { class: "verdict" }, failures[kind] ?? "Refused.") : null,
		shown.length ? h("dl", { class: "values" }, shown.flatMap(([k, v]) => value(k, v))) : null));
	while (list.children.length > most) list.firstChild.remove();
	list.scrollTop = list.scrollHeight;
}

function open(is) {
	panel.hidden = !is;
	document.body.classList.toggle("explained", is);
	toggle.setAttribute("aria-expanded", String(is));
	if (!is) return;
	list.scrollTop = list.scrollHeight;
	panel.scrollIntoView({ block: "nearest" });
}

// explainer makes the panel and returns the button that shows it.
export function explainer() {
	panel.append(
		h("div", { class: "panel-head" },
			h("h2", { id: "explainer-title" }, "What is happening"),
			h("button", { class: "quiet small", onclick: () => { list.replaceChildren(); lastKey = ""; panel.insertBefore(empty, list); } }, "Clear"),
			h("button", { class: "quiet small", onclick: () => { open(false); toggle.focus(); } }, "Close")),
		empty, list);
	toggle = h("button", { class: "quiet", id: "explain", "aria-expanded": "false", "aria-controls": "explainer", onclick: () => open(panel.hidden) }, "How it works");
	on("trace", add);
	return toggle;
}
