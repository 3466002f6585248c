package pinpad_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"mpinlab/sim/pinpad"
)

var origins = []string{"http://127.0.0.1:8081", "ws://127.0.0.1:8081", "http://127.0.0.1:8083"}

// get asks a handler; headers are names and values in turn.
func get(t testing.TB, h http.Handler, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://rpa.example/", nil)
	r.URL.Path = path
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// addresses are those that the page names.
func addresses(t testing.TB, h http.Handler) []string {
	t.Helper()
	page := string(body(t, get(t, h, "/")))
	var list []string
	for _, m := range regexp.MustCompile(`"(/assets/[^"]*)"`).FindAllStringSubmatch(page, -1) {
		list = append(list, m[1])
	}
	if len(list) < 10 {
		t.Fatalf("the page names %d addresses", len(list))
	}
	if strings.Contains(page, "{{") || regexp.MustCompile(`(?i)<style|<script>|\son\w+=|\sstyle=`).MatchString(page) {
		t.Error("the page has placeholders or something inline")
	}
	return list
}

// TestHandler gets the page and everything that it names, in every form.
func TestHandler(t *testing.T) {
	h := pinpad.Handler(origins)
	page := get(t, h, "/")
	policy := page.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval';", "worker-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
		"connect-src 'self' http://127.0.0.1:8081 ws://127.0.0.1:8081 http://127.0.0.1:8083;", "require-trusted-types-for 'script'",
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "'unsafe-eval'") {
		t.Errorf("the policy is weak: %s", policy)
	}
	for name, want := range map[string]string{
		"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-cache", "Vary": "Accept-Encoding",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	names := addresses(t, h)
	for _, path := range names {
		plain := get(t, h, path)
		want := body(t, plain)
		if plain.StatusCode != http.StatusOK || plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Content-Type") == "" {
			t.Errorf("%s: status %d, %v", path, plain.StatusCode, plain.Header)
		}
		if c := plain.Header.Get("Cache-Control"); !strings.Contains(c, "immutable") {
			t.Errorf("%s is cached as %q", path, c)
		}
		packed := get(t, h, path, "Accept-Encoding", "deflate, gzip;q=0.5, br;q=0")
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil || packed.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %v, %v", path, err, packed.Header)
		}
		if got, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is another when compressed: %v", path, err)
		}
		if strings.HasSuffix(path, ".wasm") {
			small := get(t, h, path, "Accept-Encoding", "gzip, br")
			if got, err := io.ReadAll(brotli.NewReader(small.Body)); err != nil || !bytes.Equal(got, want) || small.Header.Get("Content-Encoding") != "br" {
				t.Errorf("%s is another in Brotli: %v", path, err)
			}
		}
		if strings.HasSuffix(path, "worker.js") && plain.Header.Get("Content-Security-Policy") != policy {
			t.Error("the worker has another policy than the page")
		}
	}
	if again := addresses(t, pinpad.Handler(nil)); strings.Join(again, " ") != strings.Join(names, " ") {
		t.Error("the addresses of the same files differ")
	}
}

// TestCaching: the page is sent again only if it has changed, its policy
// included.
func TestCaching(t *testing.T) {
	h := pinpad.Handler(origins)
	tag := get(t, h, "/").Header.Get("ETag")
	for accept, tag := range map[string]string{"": tag, "gzip": get(t, h, "/", "Accept-Encoding", "gzip").Header.Get("ETag")} {
		r := get(t, h, "/", "Accept-Encoding", accept, "If-None-Match", `"other", W/`+tag)
		if r.StatusCode != http.StatusNotModified || len(body(t, r)) != 0 || r.Header.Get("ETag") != tag {
			t.Errorf("%q: status %d", accept, r.StatusCode)
		}
	}
	if r := get(t, pinpad.Handler(nil), "/", "If-None-Match", tag); r.StatusCode != http.StatusOK {
		t.Errorf("with another policy: status %d", r.StatusCode)
	}
}

// TestRefusals: no other path, no other method, no origin that is none.
func TestRefusals(t *testing.T) {
	h := pinpad.Handler([]string{"http://good.example", "javascript:alert(1)", "http://bad.example; script-src *", "http://bad.example/path", "https://user@bad.example", "*"})
	for _, path := range []string{"/index.html", "/assets/", "/assets/../page/index.html", "/page/index.html", "/favicon.ico", "", "//", "/assets/x/client.wasm"} {
		r := get(t, h, path)
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Content-Security-Policy") != "default-src 'none'" {
			t.Errorf("%q: status %d, policy %q", path, r.StatusCode, r.Header.Get("Content-Security-Policy"))
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x")))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", w.Code)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: status %d, %d bytes", w.Code, w.Body.Len())
	}
	if policy := get(t, h, "/").Header.Get("Content-Security-Policy"); !strings.Contains(policy, "connect-src 'self' http://good.example;") {
		t.Errorf("connect-src: %s", policy)
	}
}

// FuzzHandler: whatever is asked, the answer is one of the few that there are.
func FuzzHandler(f *testing.F) {
	h := pinpad.Handler(origins)
	for _, path := range addresses(f, h) {
		f.Add(path, "gzip, br", "")
	}
	f.Add("/", "br;q=1.0, gzip;q=0, *", `W/"x"`)
	f.Add("/assets/../..", "gzip;;q=", ",,")
	f.Fuzz(func(t *testing.T, path, accept, match string) {
		r := get(t, h, path, "Accept-Encoding", accept, "If-None-Match", match)
		switch r.StatusCode {
		case http.StatusOK, http.StatusNotModified, http.StatusNotFound:
		default:
			t.Errorf("status %d", r.StatusCode)
		}
		if r.Header.Get("Content-Security-Policy") == "" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", r.Header)
		}
	})
}

// TestDist builds the WebAssembly again: what is committed has to be what the
// sources give, byte for byte. `make pinpad` brings it up to date.
func TestDist(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("dist", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Go     string
		SHA256 map[string]string
		Size   int
	}
	if err := json.Unmarshal(list, &manifest); err != nil {
		t.Fatal(err)
	}
	small, err := os.ReadFile(filepath.Join("dist", "client.wasm.br"))
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := io.ReadAll(brotli.NewReader(bytes.NewReader(small)))
	if err != nil {
		t.Fatal(err)
	}
	glue, err := os.ReadFile(filepath.Join("dist", "wasm_exec.js"))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"client.wasm": wasm, "wasm_exec.js": glue} {
		if sum := fmt.Sprintf("%x", sha256.Sum256(b)); sum != manifest.SHA256[name] {
			t.Errorf("%s has hash %s, not the manifest's", name, sum)
		}
	}
	if len(wasm) != manifest.Size {
		t.Errorf("client.wasm has %d bytes, in the manifest %d", len(wasm), manifest.Size)
	}
	switch {
	case testing.Short():
		t.Skip("building takes long")
	case runtime.Version() != manifest.Go:
		t.Skipf("this is %s, and the files are of %s: other bytes", runtime.Version(), manifest.Go)
	}
	fresh := t.TempDir()
	cmd := exec.Command("go", "run", "mpinlab/sim/pinpad/pack", "-o", fresh)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"client.wasm.br", "wasm_exec.js", "manifest.json"} {
		want, err := os.ReadFile(filepath.Join(fresh, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join("dist", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("dist/%s is not what the sources give; run: make pinpad", name)
		}
	}
}
