package pinpad_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"mpinlab/sim/deploy"
)

// forms are the ways in which bytes may have been written.
func forms(b []byte) map[string]string {
	numbers := strings.Trim(strings.ReplaceAll(fmt.Sprint(b), " ", ","), "[]")
	return map[string]string{
		"raw": string(b), "hex": hex.EncodeToString(b), "HEX": strings.ToUpper(hex.EncodeToString(b)),
		"base64": strings.TrimRight(base64.StdEncoding.EncodeToString(b), "="), "base64url": base64.RawURLEncoding.EncodeToString(b),
		"numbers": numbers,
	}
}

// vaultScript opens what the page has stored, as only a script of its own origin
// can, and tells the record and the forms in which it lies there.
const vaultScript = `(async () => {
	const db = await new Promise((done, fail) => { const r = indexedDB.open("mpin", 1); r.onsuccess = () => done(r.result); r.onerror = fail; });
	const get = (k) => new Promise((done) => { const r = db.transaction("vault").objectStore("vault").get(k); r.onsuccess = () => done(r.result); });
	const [key, sealed] = [await get("key"), await get("wallet")];
	const names = await new Promise((done) => { const r = db.transaction("vault").objectStore("vault").getAllKeys(); r.onsuccess = () => done(r.result); });
	db.close();
	const plain = await crypto.subtle.decrypt({name: "AES-GCM", iv: sealed.iv, additionalData: new TextEncoder().encode("mpin wallet 1 " + location.origin)}, key, sealed.data);
	let exported = "";
	for (const format of ["raw", "jwk"]) await crypto.subtle.exportKey(format, key).then(() => { exported += format; }, () => {});
	const hex = (b) => Array.from(new Uint8Array(b), (x) => x.toString(16).padStart(2, "0")).join("");
	return {Record: new TextDecoder().decode(plain), Stored: hex(sealed.data), Exported: exported, Extractable: key.extractable, Names: names.join(" "),
		Databases: (await indexedDB.databases()).map((d) => d.name).join(" ")};
})()`

// stored is what vaultScript returns.
type stored struct {
	Record, Stored, Exported, Names, Databases string
	Extractable                                bool
}

// token finds the token in the record.
func (s *stored) token(t *testing.T) []byte {
	t.Helper()
	_, after, ok := strings.Cut(s.Record, `"token":"`)
	text, _, ended := strings.Cut(after, `"`)
	token, err := hex.DecodeString(text)
	if !ok || !ended || err != nil || len(token) < 48 {
		t.Fatalf("the record has no token where this test looks for it (%d bytes: %v)", len(token), err)
	}
	return token
}

func tokenOf(t *testing.T, b *tab) []byte {
	t.Helper()
	s := eval[stored](b, vaultScript)
	return s.token(t)
}

// remains is all that a page leaves where scripts and extensions can look: its
// elements with their values, storage, cookies, caches and history.
const remains = `(async () => JSON.stringify({
	html: document.documentElement.outerHTML,
	values: [...document.querySelectorAll("input, textarea, select, progress")].map((e) => String(e.value)),
	local: {...localStorage}, session: {...sessionStorage}, cookies: document.cookie, caches: await caches.keys(),
	history: history.state, name: window.name, address: location.href, title: document.title,
	entries: performance.getEntries().map((e) => e.name),
}))()`

// TestSecrets looks for the PIN and the token in everything that left the
// browser for the deployment, which the policy of the page lets nothing else be
// reached beside, and in everything that the page shows and stores.
func TestSecrets(t *testing.T) {
	needBrowser(t)
	p := new(tap)
	d := serve(t, deploy.Config{Wrap: p.wrap, PINDigits: 8})
	const pin, wrong, second, user = "90734618", "61840957", "27591846", "grace@example.com"
	b := newProfile(t, d.Ready().RPA+"/")
	b.press("How it works")
	seen := ""
	look := func() { seen += eval[string](b, remains) + "\n" }

	b.fill("user", user)
	b.press("Continue")
	b.title("Choose a PIN")
	b.ready()
	b.key(pin)
	b.until("eight dots", `document.querySelectorAll(".dots .full").length === 8`)
	if value := eval[string](b, `document.getElementById("pin").value`); strings.Trim(value, "•") != "" || value == "" {
		t.Errorf("the field holds %q, not bullets", value)
	}
	look()
	b.key("\r")
	b.title("Enter it again")
	b.pin(pin)
	b.title("This device is ready")
	look()
	b.press("Log in")
	b.title("Enter your PIN")
	b.pin(wrong)
	b.reads("That PIN is not right.")
	look()
	b.pin(pin)
	b.title("You are logged in")
	look()
	b.press("Log out")
	b.title("Enter your PIN")
	p.noSockets.Store(true) // and once more by plain requests
	b.reload()
	b.ready()
	for _, digit := range strings.Split(pin, "") {
		b.press(digit)
	}
	b.press("Log in")
	b.title("You are logged in")
	b.press("Your devices")
	b.reads("This device")
	look()

	// A change of the PIN, with the tokens before and after.
	first := tokenOf(t, b)
	b.press("Change the PIN of this device")
	b.title("Enter your old PIN")
	b.pin(pin)
	b.title("Choose a new PIN")
	look()
	b.pin(second)
	b.title("Enter it again")
	look()
	b.pin(second)
	b.title("Your PIN is changed")
	look()

	v := eval[stored](b, vaultScript)
	token := v.token(t)
	if string(token) == string(first) {
		t.Error("the token is the same after a change of the PIN")
	}
	if v.Extractable || v.Exported != "" {
		t.Errorf("the key can be exported: %s", v.Exported)
	}
	if v.Names != "key wallet" || v.Databases != "mpin" {
		t.Errorf("stored are %s in %s", v.Names, v.Databases)
	}
	sealed, err := hex.DecodeString(v.Stored)
	if err != nil {
		t.Fatal(err)
	}

	requests := p.text()
	places := map[string]string{"a request": requests, "the page": seen, "the database": string(sealed)}
	secrets := map[string][]byte{
		"the PIN": []byte(pin), "a wrong PIN": []byte(wrong), "the new PIN": []byte(second),
		"the first token": first, "the first token without its first byte": first[1:],
		"the token": token, "the token without its first byte": token[1:],
	}
	for where, text := range places {
		for what, secret := range secrets {
			for form, needle := range forms(secret) {
				if strings.Contains(text, needle) {
					t.Errorf("%s is in %s, as %s", what, where, form)
				}
			}
		}
	}
	if strings.Contains(v.Record, pin) || strings.Contains(v.Record, second) {
		t.Error("the PIN is stored")
	}

	// That nothing was found means something only if what passes openly is.
	if !strings.Contains(requests, `"pass":2`) || !strings.Contains(requests, user) || !strings.Contains(requests, "POST /rps/pass2") {
		t.Error("the tap did not see the messages of a login")
	}
	hash := eval[string](b, `document.querySelector(".values code.whole").textContent`)
	if !strings.Contains(seen, user) || len(hash) < 64 || !strings.Contains(seen, "The product is 1") {
		t.Error("the page did not show what it should")
	}
}
