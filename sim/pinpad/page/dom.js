// Making and showing elements. Text goes in as text nodes: nothing here reads
// HTML.

const svgNames = new Set(["svg", "path", "circle", "rect", "g"]);

// h makes an element: attributes by name, "on…" listeners as functions; children
// are nodes, texts, or null for none.
export function h(name, attributes, ...children) {
	const e = svgNames.has(name)
		? document.createElementNS("http://www.w3.org/2000/svg", name)
		: document.createElement(name);
	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (value === null || value === undefined || value === false) continue;
		if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
		else e.setAttribute(key, value === true ? "" : value);
	}
	e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
	return e;
}

const main = document.getElementById("main");
const live = document.getElementById("live");
let leave = null;
let first = true;

// show puts a view in place of the one before: {title, body, focus, leave}. Focus
// goes to what the view says, or to its heading, so that keyboard and screen
// reader are where the eye is.
export function show(view) {
	leave?.();
	leave = view.leave ?? null;
	live.textContent = "";
	main.replaceChildren(...[view.body].flat());
	document.title = view.title + " – M-Pin demonstration";
	const heading = main.querySelector("h1");
	if (heading) heading.tabIndex = -1;
	if (view.focus) view.focus.focus();
	else if (!first) heading?.focus();
	first = false;
	scrollTo(0, 0);
}

// say tells a screen reader what has changed elsewhere.
export function say(text) {
	live.textContent = text;
}

// field makes a labelled input with a hint and a place for its error.
export function field({ id, label, hint, ...attributes }) {
	const input = h("input", { id, name: id, ...attributes });
	const error = h("p", { id: id + "-error", class: "error", "aria-live": "polite" });
	const described = hint ? [id + "-hint"] : [];
	input.setAttribute("aria-describedby", [...described, id + "-error"].join(" "));
	const box = h("div", { class: "field" },
		h("label", { for: id }, label),
		input,
		hint ? h("p", { id: id + "-hint", class: "hint" }, hint) : null,
		error);
	return {
		box,
		input,
		fail(text) {
			error.textContent = text;
			if (text) {
				input.setAttribute("aria-invalid", "true");
				input.focus();
			} else input.removeAttribute("aria-invalid");
		},
	};
}

// busy marks a button while f runs; pressing it again does nothing.
export async function busy(button, f) {
	if (button.getAttribute("aria-busy") === "true") return;
	button.setAttribute("aria-busy", "true");
	try {
		return await f();
	} finally {
		button.removeAttribute("aria-busy");
	}
}

// ask shows a dialog and resolves to whether it was agreed to. The other answer is
// the safe one: it has the focus, and leaving the dialog is to give it.
export function ask({ title, text, yes, no = "Cancel", danger = false }) {
	return new Promise((resolve) => {
		const agree = h("button", { value: "yes", class: danger ? "danger" : "" }, yes);
		const safe = h("button", { value: "no", autofocus: true, class: danger ? "" : "primary" }, no);
		const dialog = h("dialog", { "aria-labelledby": "ask-title", "aria-describedby": "ask-text" },
			h("form", { method: "dialog" },
				h("h2", { id: "ask-title" }, title),
				h("p", { id: "ask-text" }, text),
				h("div", { class: "actions" }, safe, agree)));
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve(dialog.returnValue === "yes");
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

export const initial = (userId) => (userId.match(/[\p{L}\p{N}]/u)?.[0] ?? "?").toUpperCase();
export const avatar = (userId) => h("span", { class: "avatar", "aria-hidden": "true" }, initial(userId));
