package proxy_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/wire"
)

// FuzzHandler: whatever the request, the answer is a documented one; the D-TAs
// are up, so that 500 is none.
func FuzzHandler(f *testing.F) {
	m := newMIRACL(f, 3, 2)
	alice := m.user(f)
	now := m.clock()
	for _, u := range []string{
		dtatest.ClientSecretURL(id, key, alice.hash, now, nil), dtatest.ClientSecretURL(id, key, alice.hash, now, wire.Set{1, 3}) + "&dtas=3",
		dtatest.ServerSecretURL(id, key, now, nil), dtatest.PermitURL(id, key, alice.hash, now, nil, 0),
		dtatest.PermitURL(id, key, alice.hash, now, wire.Set{2, 3}, 2),
		"/timePermit?hash_mpin_id=" + alice.hash + "&signature=" + wire.Sign(key, alice.hash),
		"/timePermit?app_id=" + id + "&hash_mpin_id=" + alice.hash + "&signature=" + wire.PermitSignature(key, id, alice.hash, wire.Set{1, 3}, now),
		"/timePermits?count=2&hash_mpin_id=" + alice.hash + "&signature=" + wire.Sign(key, alice.hash),
		"/status", "/metrics", "//", "/../x", "*",
	} {
		f.Add("GET", u, "")
	}
	f.Add("POST", "/clientSecret", `{}`)
	f.Add("OPTIONS", "/clientSecret", "")
	documented := map[int]bool{200: true, 401: true, 403: true, 404: true, 405: true, 408: true}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		path, query, _ := strings.Cut(target, "?")
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		w := httptest.NewRecorder()
		m.proxy.Handler().ServeHTTP(w, r)
		if !documented[w.Code] {
			t.Fatalf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
	})
}

// FuzzSigned: the same for requests that are rightly signed, whatever is in
// them.
func FuzzSigned(f *testing.F) {
	m := newMIRACL(f, 3, 2)
	hash, expires := m.user(f).hash, wire.Expires(m.clock())
	for _, set := range []string{"", "1.2", "1.3", "2.3", "1.2.3", "1.300", "1.1"} {
		f.Add(hash, expires, set, "3", "1", "2", "")
	}
	f.Add("00", "2026-11-23T12:00:00.1Z", "1.2", "1", "x", "-1", strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, hash, expires, set, dtas, mobile, count, hashUser string) {
		for path, signed := range map[string][]string{
			"/clientSecret": {"clientSecret", id, hash, hashUser, expires, set},
			"/serverSecret": {"serverSecret", id, expires, set},
			"/timePermit":   {"timePermit", id, hash, expires, set},
			"/timePermits":  {"timePermit", id, hash, expires, set},
		} {
			q := wire.Query{"app_id": id, "hash_mpin_id": hash, "hash_user_id": hashUser, "expires": expires, "set": set,
				"dtas": dtas, "mobile": mobile, "count": count, "signature": wire.Sign(key, signed...)}
			r := httptest.NewRequest("GET", "/", nil)
			r.URL = &url.URL{Path: path, RawQuery: q.Encode()}
			w := httptest.NewRecorder()
			m.proxy.Handler().ServeHTTP(w, r)
			switch w.Code {
			case 200, 403, 408:
			default:
				t.Fatalf("%s %q: %d %s", path, q, w.Code, w.Body)
			}
		}
	})
}
