package pinpad_test

import (
	"bytes"
	"strings"
	"testing"

	"mpinlab/sim/deploy"
)

// TestChangePIN changes the PIN of one device of two, by the keyboard alone, with
// all the mistakes that there are.
func TestChangePIN(t *testing.T) {
	needBrowser(t)
	d := serve(t, deploy.Config{})
	base := d.Ready().RPA + "/"
	const user = "frank@example.com"
	other := newProfile(t, base)
	other.register(user, "4073")
	b := newProfile(t, base)
	b.register(user, "4073")
	b.login("4073")
	b.press("Your devices")
	b.until("both devices", `document.querySelectorAll(".rows > li").length === 2`)
	before := tokenOf(t, b)

	// The old PIN is checked before anything else.
	b.tabTo("Change the PIN of this device")
	b.key("\r")
	b.title("Enter your old PIN")
	if text := eval[string](b, `document.getElementById("pin-error").textContent`); text != "" {
		t.Errorf("the enter key that led to the pad was taken for its own: %s", text)
	}
	b.screen("40-old-pin")
	b.pin("4074")
	b.reads("That PIN is not right.")
	b.pin("4073")
	b.title("Choose a new PIN")

	// The new one is another, not an easy one unless it has to be, and typed twice.
	b.screen("41-new-pin")
	b.pin("4073")
	b.reads("That is your PIN already.")
	b.screen("42-same-pin")
	b.pin("1234")
	b.reads("This PIN is easy to guess")
	b.key("\r") // the safe answer has the focus
	b.pin("8461")
	b.title("Enter it again")
	b.pin("8462")
	b.reads("The two PINs differ.")
	b.title("Choose a new PIN")
	b.pin("8461")
	b.title("Enter it again")
	if !bytes.Equal(tokenOf(t, b), before) {
		t.Error("the token changed before the PIN was confirmed")
	}
	b.pin("8461")
	b.title("Your PIN is changed")
	b.reads("It is the PIN of this browser only.")
	if focus := eval[string](b, `document.activeElement.innerText`); focus != "Your PIN is changed" {
		t.Errorf("the focus is at %q", focus)
	}
	b.screen("43-pin-changed")
	if bytes.Equal(tokenOf(t, b), before) {
		t.Error("the token did not change")
	}

	// Who changed it is still logged in, and logs in with the new PIN alone; the
	// other device with the old one.
	b.press("Done")
	b.title("You are logged in")
	b.press("Log out")
	b.pin("4073")
	b.reads("That PIN is not right.")
	b.reload()
	b.pin("8461")
	b.title("You are logged in")
	other.login("4073")

	// Given up half way, or with the service gone, the old PIN stays.
	b.press("Your devices")
	b.press("Change the PIN of this device")
	b.title("Enter your old PIN")
	b.pin("8461")
	b.title("Choose a new PIN")
	b.press("Cancel")
	b.title("Your devices")
	after := tokenOf(t, b)
	b.press("Change the PIN of this device")
	b.title("Enter your old PIN")
	b.pin("8461")
	b.title("Choose a new PIN")
	b.pin("8296")
	b.title("Enter it again")
	rps := d.Node("rps-1")
	if err := rps.Kill(); err != nil {
		t.Fatal(err)
	}
	b.pin("8296")
	b.title("Choose a new PIN")
	b.reads("your old PIN still holds")
	b.screen("44-not-changed")
	if !bytes.Equal(tokenOf(t, b), after) {
		t.Error("the token changed though the service was down")
	}
	if err := rps.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.pin("8296")
	b.title("Enter it again")
	b.pin("8296")
	b.title("Your PIN is changed")
}

// TestInsecure opens the page over plain HTTP from a machine that is not this one,
// as the browser sees it: it has no WebCrypto there, and says what to do.
func TestInsecure(t *testing.T) {
	needBrowser(t)
	d := serve(t, deploy.Config{})
	_, port, ok := strings.Cut(strings.TrimPrefix(d.Ready().RPA, "http://"), ":")
	if !ok {
		t.Fatalf("no port in %s", d.Ready().RPA)
	}
	b := newProfile(t, "http://"+elsewhere+":"+port+"/")
	b.title("A secure connection is needed")
	if eval[bool](b, `isSecureContext || Boolean(crypto.subtle) || location.hostname !== "`+elsewhere+`"`) {
		t.Error("this page is a safe one, and proves nothing")
	}
	b.reads("https://" + elsewhere)
	b.screen("34-not-secure")
}
