package pinpad_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"mpinlab/sim/deploy"
	"mpinlab/sim/pinpad"
)

// chromium is one browser for all tests; each test has profiles of its own in
// it.
var chromium struct {
	once   sync.Once
	ctx    context.Context
	err    error
	stop   func()
	folder string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.RemoveAll(chromium.folder)
	os.Exit(code)
}

// needBrowser starts the browser, or skips; in CI a missing one is a failure.
func needBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes long")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium is not installed")
	}
	chromium.once.Do(func() {
		if chromium.folder, chromium.err = os.MkdirTemp("", "mpin-pinpad-"); chromium.err != nil {
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(chromium.folder, "profile")),
			chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Env("TMPDIR="+chromium.folder),
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
			// A name that is not this machine's, for pages that do not come safely.
			chromedp.Flag("host-resolver-rules", "MAP "+elsewhere+" 127.0.0.1"),
			chromedp.Flag("lang", "en-GB"), chromedp.Flag("accept-lang", "en-GB"),
		)
		allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, stop := chromedp.NewContext(allocator)
		chromium.ctx, chromium.stop = ctx, func() { stop(); stopAllocator() }
		chromium.err = chromedp.Do(ctx)
	})
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	return chromium.ctx
}

// elsewhere is a name under which the browser finds this machine and takes it for
// another.
const elsewhere = "pinpad.example"

// missing skips at home and fails in CI.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// serve starts a deployment with the PIN pad.
func serve(t *testing.T, c deploy.Config) *deploy.Deployment {
	t.Helper()
	c.Listen, c.Data, c.Store = "127.0.0.1:0", t.TempDir(), "memory"
	c.Pages = func(o deploy.Origins) http.Handler { return pinpad.Handler(o) }
	d, err := deploy.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// patience is how long something that has to happen may take on a busy machine.
const patience = 30 * time.Second

// tab is a page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newProfile opens a tab in a browser context of its own: another user's
// browser, with nothing stored.
func newProfile(t *testing.T, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(needBrowser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return openTab(t, ctx, url)
}

// sameProfile opens another tab of a browser.
func (b *tab) sameProfile(url string) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	return openTab(b.t, ctx, url)
}

func openTab(t *testing.T, ctx context.Context, url string) *tab {
	t.Helper()
	b := &tab{t, ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b.phone()
	if url != "" {
		b.open(url)
	}
	return b
}

func (b *tab) do(a ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, a...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }
func (b *tab) reload()         { b.t.Helper(); b.do(chromedp.Reload()) }

// The sizes of screens.
func (b *tab) phone() {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulatePortrait, chromedp.EmulateScale(1)))
}

func (b *tab) desktop() {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(1280, 800, chromedp.EmulateScale(1)))
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// eval runs JavaScript, awaiting a promise.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits for a condition in JavaScript.
func (b *tab) until(what, condition string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		// While a page goes and another comes there is nothing to ask.
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && ok {
			return
		}
		if b.ctx.Err() != nil || time.Now().After(deadline) {
			b.fail(what, err)
		}
	}
}

// fail ends the test with what is on the screen.
func (b *tab) fail(what string, err error) {
	b.t.Helper()
	shown, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	b.t.Fatalf("%s did not happen (%v); on the screen:\n%s", what, err, shown)
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // it is a string
	}
	return string(b)
}

// title waits for the heading of a screen.
func (b *tab) title(text string) {
	b.t.Helper()
	b.until("the screen "+text, `document.querySelector("h1")?.innerText === `+quote(text))
}

// reads waits for a text anywhere on the screen.
func (b *tab) reads(text string) {
	b.t.Helper()
	b.until("the text "+text, `document.body.innerText.includes(`+quote(text)+`)`)
}

// found is a script that finds the last visible thing to press with a text or a
// label.
func found(text string) string {
	return `[...(document.querySelector("dialog[open]") ?? document).querySelectorAll("button, a, summary")].filter((e) =>
		e.checkVisibility() && [e.innerText.trim(), e.getAttribute("aria-label")].includes(` + quote(text) + `)).at(-1)`
}

// press clicks on what has a text, with the mouse.
func (b *tab) press(text string) {
	b.t.Helper()
	b.until("something to press: "+text, found(text))
	// A list that is still to come would push it away from under the mouse.
	b.until("lists that are there", `!document.querySelector('.place[aria-busy="true"]')`)
	at := eval[struct{ X, Y float64 }](b, `(() => { const e = `+found(text)+`; e.scrollIntoView({block: "nearest"});
		const r = e.getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2}; })()`)
	b.do(chromedp.MouseClickXY(at.X, at.Y))
}

// key presses keys, wherever the focus is.
func (b *tab) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// fill types into a field in the place of what is there.
func (b *tab) fill(id, text string) {
	b.t.Helper()
	b.until("a field "+id, `document.getElementById(`+quote(id)+`)`)
	eval[bool](b, `(() => { const e = document.getElementById(`+quote(id)+`); e.focus(); e.select(); return true; })()`)
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatal(err)
	}
}

// pin types a PIN and the enter key, wherever the focus is.
func (b *tab) pin(digits string) {
	b.t.Helper()
	b.ready()
	b.key(digits)
	b.until("dots", fmt.Sprintf(`document.querySelectorAll(".dots .full").length === %d`, len(digits)))
	b.key("\r")
}

// ready waits for an empty pad that takes digits.
func (b *tab) ready() {
	b.t.Helper()
	b.until("a pad that takes digits", `document.getElementById("pin") && !document.querySelector("form.working, dialog")
		&& document.querySelectorAll(".dots .full").length === 0`)
}

// activate opens the mailbox and follows the link, as the user would; pictures
// are the names for the three screens.
func (b *tab) activate(base, user string, pictures ...string) {
	b.t.Helper()
	mail := b.sameProfile(base + "/outbox?user=" + user)
	mail.until("the mail", found("Activate it"))
	if len(pictures) == 3 {
		mail.screen(pictures[0])
	}
	mail.press("Activate it")
	mail.until("a button to activate", found("Activate"))
	if len(pictures) == 3 {
		mail.screen(pictures[1])
	}
	mail.press("Activate")
	mail.title("The device is activated")
	if len(pictures) == 3 {
		mail.screen(pictures[2])
	}
	if err := chromedp.Cancel(mail.ctx); err != nil {
		b.t.Fatal(err)
	}
}

// register sets a browser up for a user who is active at once.
func (b *tab) register(user, digits string) {
	b.t.Helper()
	b.fill("user", user)
	b.press("Continue")
	b.title("Choose a PIN")
	b.pin(digits)
	b.title("Enter it again")
	b.pin(digits)
	b.title("This device is ready")
}

// login logs in from the screen that says that the device is ready.
func (b *tab) login(digits string) {
	b.t.Helper()
	b.press("Log in")
	b.title("Enter your PIN")
	b.pin(digits)
	b.title("You are logged in")
}

// screens is where pictures of the screens go: an ignored folder, or the one
// that MPIN_SCREENS names.
func screens(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("MPIN_SCREENS")
	if folder == "" {
		folder = filepath.Join("..", "..", ".cache", "screenshots")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// screen takes pictures of what is shown, on a phone and on a desktop, light and
// dark, and has axe-core look at each.
func (b *tab) screen(name string) {
	b.t.Helper()
	folder := screens(b.t)
	for _, size := range []string{"phone", "desktop"} {
		if size == "phone" {
			b.phone()
		} else {
			b.desktop()
		}
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			b.settle()
			picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s-%s.png", name, size, scheme)), picture, 0o644); err != nil {
				b.t.Fatal(err)
			}
			b.accessible(name + ", " + size + ", " + scheme)
		}
	}
	b.scheme("light")
	b.phone()
}

// settle waits until two frames were drawn since the last change.
func (b *tab) settle() {
	b.t.Helper()
	eval[bool](b, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

var axe = sync.OnceValues(func() (string, error) {
	b, err := os.ReadFile(filepath.Join("..", "..", ".cache", "npm", "node_modules", "axe-core", "axe.min.js"))
	return string(b), err
})

// accessible runs every rule of axe-core that belongs to WCAG 2.2 A and AA, and
// its best practices.
func (b *tab) accessible(where string) {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.t.Fatal("axe-core is not installed: ", err)
		}
		return
	}
	if !eval[bool](b, `typeof axe === "object"`) {
		b.do(chromedp.Evaluate[chromedp.Void](source))
	}
	found := eval[[]struct {
		ID, Help string
		Where    []string
	}](b, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]}).then((r) =>
		r.violations.map((v) => ({ID: v.id, Help: v.help, Where: v.nodes.map((n) => n.html + " " + n.failureSummary)})))`)
	for _, v := range found {
		b.t.Errorf("%s: axe-core finds %s (%s) at %s", where, v.ID, v.Help, strings.Join(v.Where, " and "))
	}
}

// tabTo moves the focus with the tab key until it is on something with a text.
func (b *tab) tabTo(text string) {
	b.t.Helper()
	for range 40 {
		if eval[bool](b, `document.activeElement?.innerText?.trim() === `+quote(text)) {
			return
		}
		b.key("\t")
	}
	b.fail("the focus on "+text, nil)
}
