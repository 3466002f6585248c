// The PIN pad. Each digit goes to the worker as it is typed; this page counts
// them and has none. The input takes what a keyboard or a screen reader types and
// never holds anything but bullets.

import { digits } from "./rpc.js";
import { h, say } from "./dom.js";

const bullet = "\u2022";

// pad makes a PIN pad: action is the button's text, submit what it does with the
// digits that the worker has by then. Extra elements go below the button.
export function pad({ action, min, max, submit, extra = [] }) {
	let count = 0;
	let working = false;
	const made = performance.now();
	digits.clear();

	const dots = h("div", { class: "dots", "aria-hidden": "true" });
	const input = h("input", {
		id: "pin", type: "password", inputmode: "none", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
		"aria-describedby": "pin-error pin-hint", "data-1p-ignore": true, "data-lpignore": "true",
	});
	const error = h("p", { id: "pin-error", class: "error pad-error", "aria-live": "assertive" });
	const button = h("button", { class: "primary wide" }, action);

	function draw() {
		input.value = bullet.repeat(count);
		const shown = Math.max(min, count);
		while (dots.children.length > shown) dots.lastChild.remove();
		while (dots.children.length < shown) dots.append(h("span"));
		[...dots.children].forEach((dot, i) => dot.classList.toggle("full", i < count));
	}

	function add(digit) {
		if (working || count === max) return;
		digits.add(digit);
		count++;
		fail("");
		draw();
	}

	function erase() {
		if (working || count === 0) return;
		digits.erase();
		count--;
		draw();
	}

	function fail(text) {
		error.textContent = text;
		box.classList.toggle("wrong", text !== "");
		if (text) input.setAttribute("aria-invalid", "true");
		else input.removeAttribute("aria-invalid");
	}

	function clear() {
		digits.clear();
		count = 0;
		draw();
	}

	input.addEventListener("beforeinput", (event) => {
		// The enter key submits.
		if (!event.cancelable || event.inputType === "insertLineBreak") return;
		event.preventDefault();
		if (event.inputType.startsWith("delete")) erase();
		for (const c of event.data ?? "") if (c >= "0" && c <= "9") add(Number(c));
	});
	// What could not be prevented, as some keyboards compose.
	input.addEventListener("input", () => {
		const typed = input.value;
		draw();
		for (const c of typed) if (c >= "0" && c <= "9") add(Number(c));
	});

	const key = (label, name, press) => h("button", {
		type: "button", class: "key", "aria-label": name, tabindex: "-1",
		onclick: press,
		// Focus stays where keys are typed.
		onpointerdown: (event) => event.pointerType === "mouse" && event.preventDefault(),
		onmousedown: (event) => event.preventDefault(),
	}, label);
	const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => key(String(n), null, () => add(n)));
	const zero = key("0", null, () => add(0));
	const back = key(
		h("svg", { viewBox: "0 0 28 20", width: "28", height: "20", "aria-hidden": "true" },
			h("path", { d: "M9 1.5h15a2.5 2.5 0 0 1 2.5 2.5v12a2.5 2.5 0 0 1-2.5 2.5H9L1.5 10z M13 6.5l7 7 M20 6.5l-7 7", fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" })),
		"Delete the last digit", () => {
			erase();
			say(`${count} digits entered`);
		});
	back.classList.add("plain");
	const keys = [...numbers, zero, back];
	numbers[0].tabIndex = 0;
	const grid = h("div", { class: "keys", role: "group", "aria-label": "Digits; arrow keys move between them", onkeydown: walk },
		numbers, h("span"), zero, back);

	// walk moves the focus over the keys, which are one stop for the tab key.
	function walk(event) {
		const at = keys.indexOf(event.target);
		const row = at < 9 ? Math.floor(at / 3) : 3;
		const column = at < 9 ? at % 3 : at - 8;
		const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
		if (/^[0-9]$/.test(event.key)) add(Number(event.key));
		else if (event.key === "Backspace") erase();
		else if (step && at >= 0) {
			const r = row + step[0], c = column + step[1];
			const to = r === 3 ? keys[c === 2 ? 10 : 9] : r >= 0 && c >= 0 && c < 3 ? keys[3 * r + c] : null;
			if (!to || r > 3) return;
			event.preventDefault();
			event.target.tabIndex = -1;
			to.tabIndex = 0;
			to.focus();
		}
	}

	const box = h("div", { class: "pin-box" },
		h("label", { for: "pin", class: "unseen" }, "PIN"), input, dots,
		h("p", { id: "pin-hint", class: "unseen" }, min === max ? `${min} digits` : `${min} to ${max} digits`));
	const form = h("form", { class: "pad", novalidate: true, autocomplete: "off" }, box, error, grid, button, extra);
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		// The enter key that led here may still be down.
		if (working || count === 0 && performance.now() - made < 400) return;
		if (count < min) {
			fail(count === 0 ? "Enter your PIN first." : `A PIN has at least ${min} digits.`);
			input.focus();
			return;
		}
		working = true;
		form.classList.add("working");
		button.setAttribute("aria-busy", "true");
		fail("");
		try {
			await submit();
		} finally {
			working = false;
			form.classList.remove("working");
			button.removeAttribute("aria-busy");
			if (form.isConnected) {
				clear();
				input.focus();
			} else digits.clear();
		}
	});
	// Digits count wherever the focus is, short of another field or a dialog.
	function anywhere(event) {
		if (!/^[0-9]$/.test(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
		if (event.target.closest?.("input, textarea, select, dialog, .keys")) return;
		input.focus(); // what the key types goes there
	}
	document.addEventListener("keydown", anywhere);
	// A pad that somebody has left alone forgets what was typed.
	let idle = 0;
	form.addEventListener("keydown", rest);
	form.addEventListener("click", rest);
	function rest() {
		clearTimeout(idle);
		idle = setTimeout(clear, 60_000);
	}
	draw();
	return { form, input, fail, leave };

	function leave() {
		clearTimeout(idle);
		document.removeEventListener("keydown", anywhere);
		digits.clear();
	}
}
