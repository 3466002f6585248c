package pinpad_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"mpinlab/sim/deploy"
)

// TestPhone logs a desktop's page in from a phone: two browsers that share
// nothing but the deployment.
func TestPhone(t *testing.T) {
	needBrowser(t)
	var ahead atomic.Int64 // the RPS's clock, ns
	d := serve(t, deploy.Config{Clock: map[deploy.Role]func() time.Time{
		deploy.RoleRPS: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
	}})
	base := d.Ready().RPA
	phone := newProfile(t, base+"/")
	phone.title("Log in with a PIN")
	phone.register("carol@example.com", "4073")
	desktop := newProfile(t, base+"/")
	desktop.desktop()
	desktop.title("Log in with a PIN")
	desktop.press("Log in with a phone instead")

	number := func() string {
		desktop.until("an access number", `document.querySelector("[data-number]")`)
		return eval[string](desktop, `document.querySelector("[data-number]").dataset.number`)
	}
	link := func() string {
		number()
		return eval[string](desktop, `document.querySelector("[data-link]").dataset.link`)
	}

	// By the number, after a wrong one.
	typed := number()
	desktop.screen("20-code")
	desktop.desktop()
	phone.press("Log in a screen")
	phone.title("Log in a screen")
	wrong := "0000000"
	phone.fill("number", "12345")
	phone.press("Continue")
	phone.reads("Enter the 7 digits.")
	phone.fill("number", wrong)
	phone.press("Continue")
	phone.reads("No screen shows this code.")
	phone.screen("21-phone-number")
	phone.fill("number", typed[:3]+" "+typed[3:])
	phone.press("Continue")
	phone.title("Log in the other screen")
	desktop.reads("carol@example.com is entering the PIN")
	desktop.screen("22-code-in-use")
	desktop.desktop()
	phone.screen("23-phone-pin")
	phone.pin("9999")
	phone.reads("That PIN is not right.")
	phone.pin("4073")
	phone.title("The screen is logged in")
	desktop.title("You are logged in")
	desktop.reads("carol@example.com")
	desktop.reads("with your phone")
	phone.screen("24-phone-done")
	desktop.reload()
	desktop.title("You are logged in")

	// The phone logs it out.
	phone.press("Log that screen out")
	phone.title("The screen is logged out")
	desktop.title("Log in with a PIN")

	// By the QR code's link, which the phone's camera opens. The phone is given
	// up once, and then not.
	desktop.press("Log in with a phone instead")
	phone.open(link())
	phone.title("Log in the other screen")
	if at := eval[string](phone, `location.hash`); at != "#/phone" {
		t.Errorf("the code stays in the address: %s", at)
	}
	phone.press("Cancel")
	desktop.reads("This code is no longer good")
	desktop.screen("25-code-cancelled")
	desktop.desktop()
	desktop.press("New code")
	phone.open("about:blank")
	phone.open(link())
	phone.title("Log in the other screen")
	phone.pin("4073")
	phone.title("The screen is logged in")
	desktop.title("You are logged in")
	desktop.press("Log out")

	// A code is used once, and not for ever.
	desktop.press("Log in with a phone instead")
	late := number()
	ahead.Store(int64(6 * time.Minute))
	desktop.reads("This code is no longer good")
	phone.press("Done")
	phone.title("Enter your PIN")
	phone.press("Log in a screen")
	phone.fill("number", late)
	phone.press("Continue")
	phone.reads("No screen shows this code.")

	// A phone that is not set up is told what to do first, and goes on then.
	ahead.Store(0)
	desktop.desktop()
	desktop.press("New code")
	fresh := newProfile(t, link())
	fresh.title("Set up this phone first")
	fresh.screen("27-phone-not-set-up")
	fresh.press("Set up")
	fresh.register("dora@example.com", "4073")
	fresh.press("Go on")
	fresh.title("Log in the other screen")
	fresh.pin("4073")
	fresh.title("The screen is logged in")
	desktop.title("You are logged in")
	desktop.reads("dora@example.com")
}

// TestOutages takes the network and the servers away, and gives them back.
func TestOutages(t *testing.T) {
	needBrowser(t)
	d := serve(t, deploy.Config{})
	b := newProfile(t, d.Ready().RPA+"/")
	b.title("Log in with a PIN")
	b.register("erin@example.com", "4073")
	b.press("Log in")
	b.title("Enter your PIN")

	rps := d.Node("rps-1")
	if err := rps.Kill(); err != nil {
		t.Fatal(err)
	}
	b.pin("4073")
	b.reads("The service does not answer.")
	b.screen("30-server-down")
	offline := func(is bool) {
		_, err := chromedp.Call(b.ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
		if err != nil {
			t.Fatal(err)
		}
	}
	offline(true)
	b.until("the browser to know", `!navigator.onLine`)
	b.pin("4073")
	b.reads("You are offline.")
	b.screen("31-offline")
	offline(false)

	// A page that comes while the service is down says so, and mends itself.
	b.reload()
	b.title("The service is down")
	b.screen("32-service-down")
	if err := rps.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := rps.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.press("Try again")
	b.title("Enter your PIN")
}

// TestOtherSuite opens the page where the deployment computes on a curve that it
// does not carry.
func TestOtherSuite(t *testing.T) {
	needBrowser(t)
	d := serve(t, deploy.Config{Suite: "rfc9380/bn254"})
	b := newProfile(t, d.Ready().RPA+"/")
	b.title("This page does not fit the service")
	b.screen("33-other-suite")
}

// TestFourDigits serves a dialect in which only four digits of a PIN count.
func TestFourDigits(t *testing.T) {
	needBrowser(t)
	d := serve(t, deploy.Config{Suite: "milagro/bls12-381"})
	b := newProfile(t, d.Ready().RPA+"/")
	b.fill("user", "frank@example.com")
	b.press("Continue")
	b.title("Choose a PIN")
	b.reads("4 digits that only you know.")
	b.key("407399")
	b.until("four dots", `document.querySelectorAll(".dots .full").length === 4 && document.querySelectorAll(".dots span").length === 4`)
	b.key("\r")
	b.title("Enter it again")
	b.pin("4073")
	b.title("This device is ready")
	b.login("4073")
}
