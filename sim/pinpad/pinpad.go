// Package pinpad serves the PIN pad: a web page with package client in
// WebAssembly behind it, for users to register, log in, and log other screens in
// with a phone. [Handler] is what the relying party application shows where it
// has no page of its own.
//
// # The parts
//
// page/ has the page: plain JavaScript modules and CSS. Its worker loads the
// client, which is the only part that has PINs and tokens and that talks to the
// service: the page counts digits and does not see them again. Tokens are kept
// in IndexedDB, encrypted under a WebCrypto key that cannot be exported. wasm/ is
// the client's main, and dist/ what pack makes of it; `make pinpad` does that.
//
// # Ahead of the PIN
//
// While a PIN is being typed the worker computes what needs neither it nor an
// answer: the points of the identity, the day, the token and the permit that is
// there ([mpinlab/sim/client.Client.Prepare]). It also goes through the computing of
// a login six times, with a secret that is none, and throws the results away:
// browsers first run WebAssembly as it comes, and compile well what runs often. That
// is done once on a page for an identity, takes 50 ms of the worker's time or more, lets
// digits in between its parts, and stops when a login begins. Nothing of it is
// stored or sent, and every login draws its own x afterwards. The figures that the
// tests write have both: what is computed from the last digit to V
// (crypto=from-the-last-digit), and that with all that was computed ahead
// (crypto=with-what-was-ahead). No garbage is collected meanwhile: a login allocates
// 100 kB, and the collector first runs at 4 MB.
//
// # Changing the PIN
//
// The old PIN is checked by a login before a new one is asked for. The worker keeps
// it for three minutes at most, until the new one was typed twice. The token is
// replaced when a login with the new PIN has succeeded. Nothing else changes: other
// devices have tokens of their own.
//
// # Caching
//
// Everything but the one HTML page is under an address with a hash of its content
// and is never asked for again; the page itself has an ETag. The WebAssembly has a
// hash of its own, so that a change of style does not cost 1 MB.
//
// # What it costs the browser to be wrong
//
// The content security policy lets the page run its own files only, nothing
// inline, connect to the deployment only, and make no script of text (Trusted
// Types). The page works over HTTPS or on the machine itself, since browsers have
// no WebCrypto otherwise; it says so there.
//
// The page carries the curve bls12-381. With `go run ./sim/pinpad/pack -tags
// allcurves` it carries all of gnark-crypto's; it tells its user when it does not
// have the deployment's.
package pinpad

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

//go:embed page dist
var embedded embed.FS

const (
	wasmName = "client.wasm"
	glueName = "wasm_exec.js"
)

// asset is a file in the forms in which it is sent.
type asset struct {
	kind  string // Content-Type
	plain func() []byte
	gzip  func() []byte
	br    []byte // nil for none
}

// site is what is served, the same for every handler of the program.
type site struct {
	index  []byte
	assets map[string]*asset // by path
}

// load puts the site together, once.
var load = sync.OnceValue(func() *site {
	s, err := assemble(embedded)
	if err != nil {
		panic("pinpad: " + err.Error()) // it is embedded, and tested
	}
	return s
})

var kinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".wasm": "application/wasm",
}

func assemble(files fs.FS) (*site, error) {
	s := &site{assets: map[string]*asset{}}
	names, err := fs.Glob(files, "page/*")
	if err != nil {
		return nil, err
	}
	names = append(names, "dist/"+glueName)
	contents := map[string][]byte{}
	hash := sha256.New()
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		contents[path.Base(name)] = b
		fmt.Fprintf(hash, "%s %d\n%s", name, len(b), b)
	}
	template := string(contents["index.html"])
	delete(contents, "index.html")
	page := "/assets/" + hex.EncodeToString(hash.Sum(nil)[:10])
	var modules []string
	for name, b := range contents {
		s.assets[page+"/"+name] = plainAsset(name, b)
		if path.Ext(name) == ".js" && name != "app.js" && !workers[name] {
			modules = append(modules, fmt.Sprintf("<link rel=%q href=%q>", "modulepreload", page+"/"+name))
		}
	}
	slices.Sort(modules)

	list, err := fs.ReadFile(files, "dist/manifest.json")
	if err != nil {
		return nil, err
	}
	var manifest struct {
		SHA256 map[string]string `json:"sha256"`
		Size   int               `json:"size"`
	}
	if err := json.Unmarshal(list, &manifest); err != nil {
		return nil, err
	}
	sum := manifest.SHA256[wasmName]
	if len(sum) != 64 {
		return nil, fmt.Errorf("the manifest has no hash of %s", wasmName)
	}
	small, err := fs.ReadFile(files, "dist/"+wasmName+".br")
	if err != nil {
		return nil, err
	}
	wasm := "/assets/" + sum[:20]
	s.assets[wasm+"/"+wasmName] = wasmAsset(small)

	s.index = []byte(strings.NewReplacer(
		"{{page}}", page, "{{wasm}}", wasm, "{{size}}", strconv.Itoa(manifest.Size), "{{modules}}", strings.Join(modules, "\n"),
	).Replace(template))
	return s, nil
}

// workers are the modules that only the worker loads.
var workers = map[string]bool{"worker.js": true, "vault.js": true, glueName: true}

func plainAsset(name string, b []byte) *asset {
	return &asset{
		kind: kinds[path.Ext(name)], plain: func() []byte { return b },
		gzip: sync.OnceValue(func() []byte { return zip(b) }),
	}
}

// wasmAsset unpacks only for clients that do not take Brotli.
func wasmAsset(small []byte) *asset {
	plain := sync.OnceValue(func() []byte {
		b, err := io.ReadAll(brotli.NewReader(bytes.NewReader(small)))
		if err != nil {
			panic("pinpad: " + err.Error()) // it is embedded, and tested
		}
		return b
	})
	return &asset{kind: kinds[".wasm"], plain: plain, gzip: sync.OnceValue(func() []byte { return zip(plain()) }), br: small}
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("pinpad: " + err.Error()) // writing to memory does not fail
	}
	return out.Bytes()
}

// Handler serves the page at / and its parts under /assets/. connect are the
// origins besides its own that the page may connect to, such as
// http://127.0.0.1:8081 and ws://127.0.0.1:8081; what is no origin is left out.
func Handler(connect []string) http.Handler {
	s := load()
	policy := policyFor(connect)
	packed := zip(s.index)
	sum := sha256.Sum256(s.index)
	// The policy belongs to what is cached.
	tag := sha256.Sum256(append(sum[:], policy...))
	etag := hex.EncodeToString(tag[:10])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// The rest is for documents and workers; what runs in them has their policy,
		// and what is opened by itself may do nothing.
		h.Del("Referrer-Policy")
		h.Del("Cross-Origin-Opener-Policy")
		h.Set("Content-Security-Policy", "default-src 'none'")
		if r.URL.Path == "/" || path.Base(r.URL.Path) == "worker.js" {
			h.Set("Content-Security-Policy", policy)
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Permissions-Policy", permissions)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		if r.URL.Path == "/" {
			h.Set("Cache-Control", "no-cache")
			send(w, r, "text/html; charset=utf-8", etag, s.index, packed, nil)
			return
		}
		a := s.assets[r.URL.Path]
		if a == nil {
			h.Set("Cache-Control", "no-store")
			http.Error(w, "404 page not found", http.StatusNotFound)
			return
		}
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		switch accepted(r, a.br != nil) {
		case "br":
			send(w, r, a.kind, "", nil, nil, a.br)
		case "gzip":
			send(w, r, a.kind, "", nil, a.gzip(), nil)
		default:
			send(w, r, a.kind, "", a.plain(), nil, nil)
		}
	})
}

// permissions are the powers that the page does without.
const permissions = "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), payment=(), serial=(), usb=()"

func policyFor(connect []string) string {
	sources := []string{"'self'"}
	for _, c := range connect {
		u, err := url.Parse(c)
		if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(c, " ;,'\"") {
			continue
		}
		switch u.Scheme {
		case "http", "https", "ws", "wss":
			sources = append(sources, c)
		}
	}
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src " + strings.Join(sources, " ") + "; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types mpin"
}

// send sends one of the forms: br where it is not nil, else gzip if that is
// accepted, else plain. With an ETag the client may have it already.
func send(w http.ResponseWriter, r *http.Request, kind, etag string, plain, packed, br []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Vary", "Accept-Encoding")
	body := plain
	switch {
	case br != nil:
		h.Set("Content-Encoding", "br")
		body = br
	case packed != nil && (plain == nil || accepted(r, false) == "gzip"):
		h.Set("Content-Encoding", "gzip")
		body = packed
	}
	if etag != "" {
		// The forms are told apart, since a cache may hold either.
		tag := `"` + etag + `-` + h.Get("Content-Encoding") + `"`
		h.Set("ETag", tag)
		for candidate := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
			if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == tag {
				h.Del("Content-Type")
				h.Del("Content-Encoding")
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// accepted returns br, gzip, or "" by what the client takes.
func accepted(r *http.Request, br bool) string {
	best := ""
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameters, _ := strings.Cut(part, ";")
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err != nil || v == 0 {
				continue
			}
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "br":
			if br {
				return "br"
			}
		case "gzip":
			best = "gzip"
		}
	}
	return best
}
