package pinpad_test

import (
	"testing"

	"mpinlab/sim/deploy"
)

// TestWalk goes through everything that a user alone with a browser can meet, in
// one go, as he would.
func TestWalk(t *testing.T) {
	d := serve(t, deploy.Config{VerifyByMail: "@mail"})
	base := d.Ready().RPA
	b := newProfile(t, base+"/")
	const user = "alice@mail.example"

	// Register; the link in the mail.
	b.title("Log in with a PIN")
	b.screen("01-welcome")
	b.press("Continue")
	b.reads("Enter your user ID.")
	b.fill("user", user)
	b.fill("device", "Alice's browser")
	b.press("Continue")
	b.title("Check your mail")
	b.screen("02-check-your-mail")
	b.reload()
	b.title("Check your mail")
	b.activate(base, user, "02b-mail", "02c-activate", "02d-activated")

	// Choose a PIN.
	b.title("Choose a PIN")
	b.screen("03-choose-pin")
	b.pin("1234")
	b.reads("This PIN is easy to guess")
	b.screen("04-weak-pin")
	b.press("Choose another")
	b.ready()
	b.key("407")
	b.key("\r")
	b.reads("A PIN has at least 4 digits.")
	b.key("\b\b\b")
	b.pin("4073")
	b.title("Enter it again")
	b.screen("05-repeat-pin")
	b.pin("4074")
	b.reads("The two PINs differ.")
	b.title("Choose a PIN")
	b.pin("4073")
	b.title("Enter it again")
	b.pin("4073")
	b.title("This device is ready")
	b.screen("06-ready")

	// Log in, by the keys on the screen.
	b.press("Log in")
	b.title("Enter your PIN")
	b.screen("07-pin-pad")
	for _, digit := range []string{"4", "0", "8"} {
		b.press(digit)
	}
	b.press("Delete the last digit")
	b.press("7")
	b.press("3")
	b.screen("08-pin-entered")
	b.press("Log in")
	b.title("You are logged in")
	b.screen("09-logged-in")
	b.reload()
	b.title("You are logged in")

	// The explainer has followed from the second log-in on.
	b.press("Log out")
	b.title("Enter your PIN")
	b.press("How it works")
	b.pin("4073")
	b.title("You are logged in")
	b.reads("The product is 1: the PIN was right.")
	b.screen("10-explainer")
	b.press("Close")

	b.press("Your devices")
	b.reads("This device")
	b.screen("11-devices")
	b.press("Log out")

	// What is stored outlives the page.
	b.reload()
	b.title("Enter your PIN")
	b.pin("4073")
	b.title("You are logged in")
	b.press("Log out")

	// Wrong until blocked, and from the start.
	b.title("Enter your PIN")
	b.pin("1111")
	b.reads("That PIN is not right.")
	b.screen("12-wrong-pin")
	b.pin("2222")
	b.reads("That PIN is not right.")
	b.pin("3333")
	b.title("This device is blocked")
	b.screen("13-blocked")
	b.reload()
	b.title("This device is blocked")
	b.press("Set up again")
	b.title("Check your mail")
	b.activate(base, user)
	b.title("Choose a PIN")
	b.pin("5081")
	b.title("Enter it again")
	b.pin("5081")
	b.title("This device is ready")
	b.login("5081")
	b.press("Log out")

	// A second user of the same browser.
	b.title("Enter your PIN")
	b.press("Accounts on this device")
	b.press("Add an account")
	b.title("Add an account")
	b.register("bob@example.com", "847193")
	b.login("847193")
	b.reads("bob@example.com")
	b.press("Log out")
	b.title("Who is logging in?")
	b.screen("14-accounts")
	b.press("Remove bob@example.com")
	b.reads("Remove this account?")
	b.screen("15-remove")
	b.press("Cancel")

	// The operator withdraws access, and gives it back.
	op := b.sameProfile(base + "/#/admin")
	op.title("Withdraw access")
	op.fill("admin-user", user)
	op.press("Show")
	op.reads("Has access, with every device")
	op.screen("16-operator")
	op.press("Revoke " + user)
	op.until("a user that is revoked", found("Restore "+user))
	b.choose(user)
	b.title("Enter your PIN")
	b.pin("5081")
	b.title("Access withdrawn")
	b.screen("17-revoked")
	op.press("Restore " + user)
	op.until("a user that is not revoked", found("Revoke "+user))
	b.press("Accounts on this device")
	b.choose(user)
	b.title("Enter your PIN")
	b.pin("5081")
	b.title("You are logged in")

	// Users revoke devices themselves; this one logs itself out with it.
	b.press("Your devices")
	b.title("Your devices")
	b.until("the device in use", found("Revoke Alice's browser"))
	eval[bool](b, `document.querySelector(".badge.good").closest("li").querySelector("button").click() ?? true`)
	b.reads("Revoke this device?")
	b.press("Revoke")
	b.title("Who is logging in?")

	// Forget this browser.
	b.press("Forget this browser")
	b.reads("Forget this browser?")
	b.screen("18-forget")
	b.press("Forget")
	b.title("Log in with a PIN")
	b.reload()
	b.title("Log in with a PIN")
}

// choose has a user's account log in, once the list of accounts has it.
func (b *tab) choose(user string) {
	b.t.Helper()
	row := `[...document.querySelectorAll("a.row")].find((a) => a.innerText.includes("` + user + `"))`
	b.until("the account "+user, row)
	eval[bool](b, row+`.click() ?? true`)
}

// TestActivationLinks opens links that are not, or no longer, good.
func TestActivationLinks(t *testing.T) {
	needBrowser(t)
	d := serve(t, deploy.Config{VerifyByMail: "@mail"})
	base := d.Ready().RPA
	b := newProfile(t, base+"/")
	const user = "alice@mail.example"
	b.fill("user", user)
	b.press("Continue")
	b.title("Check your mail")
	mail := b.sameProfile(base + "/outbox?user=" + user)
	mail.until("the mail", found("Activate it"))
	link := eval[string](mail, found("Activate it")+`.href`)
	mail.press("Activate it")
	mail.press("Activate")
	mail.title("The device is activated")
	b.title("Choose a PIN")
	b.pin("4073")
	b.title("Enter it again")
	b.pin("4073")
	b.title("This device is ready")
	mail.open(link)
	mail.press("Activate")
	mail.title("This link is no longer valid")
	mail.screen("02e-link-used")
	mail.open(link[:len(link)/2])
	mail.title("This is not an activation link")
	mail.screen("02f-no-link")
}
