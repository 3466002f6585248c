package dta_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mpinlab/sim/dta/dtatest"
	"mpinlab/sim/wire"
)

// FuzzHandler: whatever the request, the answer is a documented one.
func FuzzHandler(f *testing.F) {
	suite := dtatest.Suite(f)
	additive := dtatest.New(f, suite, dtatest.Options{N: 1, Now: fixed(noon), AdminToken: "admin"}).Nodes[0].Handler()
	shared := dtatest.New(f, suite, dtatest.Options{N: 3, Threshold: 2, Now: fixed(noon)}).Nodes[0].Handler()
	_, hash := alice(f)
	const id, key = dtatest.AppID, dtatest.AppKey
	for _, u := range []string{
		dtatest.ClientSecretURL(id, key, hash, noon, nil), dtatest.ClientSecretURL(id, key, hash, noon, wire.Set{1, 2}),
		dtatest.ServerSecretURL(id, key, noon, nil), dtatest.PermitURL(id, key, hash, noon, nil, 0),
		dtatest.PermitURL(id, key, hash, noon, wire.Set{1, 3}, 2),
		"/timePermit?hash_mpin_id=" + hash + "&signature=" + wire.Sign(key, hash),
		"/timePermits?count=2&hash_mpin_id=" + hash + "&signature=" + wire.Sign(key, hash),
		"/status?app_id=app-1", "/metrics", "/applications", "//", "/../x", "/%2e%2e/", "*",
	} {
		f.Add("GET", u, "")
	}
	f.Add("POST", "/applications", `{"app_id":"new","app_key":"secret"}`)
	f.Add("OPTIONS", "/clientSecret", "")
	documented := map[int]bool{200: true, 400: true, 401: true, 403: true, 404: true, 405: true, 408: true, 409: true, 413: true}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		path, query, _ := strings.Cut(target, "?")
		for _, h := range []http.Handler{additive, shared} {
			r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
			r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if !documented[w.Code] {
				t.Fatalf("%s %q: %d %s", method, target, w.Code, w.Body)
			}
		}
	})
}

// FuzzSigned: the same for requests that are rightly signed, whatever is in
// them, so that what lies behind the signature is reached.
func FuzzSigned(f *testing.F) {
	suite := dtatest.Suite(f)
	additive := dtatest.New(f, suite, dtatest.Options{N: 1, Now: fixed(noon)}).Nodes[0].Handler()
	shared := dtatest.New(f, suite, dtatest.Options{N: 3, Threshold: 2, Now: fixed(noon)}).Nodes[0].Handler()
	_, hash := alice(f)
	expires := wire.Expires(noon)
	for _, set := range []string{"", "1.2", "1.3", "2.3", "1.2.3", "1.300", "1.1"} {
		f.Add(hash, expires, set, "1", "2", "")
	}
	f.Add("00", "2026-11-23T12:00:00.1Z", "1.2", "x", "-1", strings.Repeat("0", 64))
	f.Fuzz(func(t *testing.T, hash, expires, set, mobile, count, hashUser string) {
		const id, key = dtatest.AppID, dtatest.AppKey
		for path, signed := range map[string][]string{
			"/clientSecret": {"clientSecret", id, hash, hashUser, expires, set},
			"/serverSecret": {"serverSecret", id, expires, set},
			"/timePermit":   {"timePermit", id, hash, expires, set},
			"/timePermits":  {"timePermit", id, hash, expires, set},
		} {
			q := wire.Query{"app_id": id, "hash_mpin_id": hash, "hash_user_id": hashUser, "expires": expires, "set": set,
				"mobile": mobile, "count": count, "signature": wire.Sign(key, signed...)}
			for _, h := range []http.Handler{additive, shared} {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.URL = &url.URL{Path: path, RawQuery: q.Encode()}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				switch w.Code {
				case 200, 403, 408:
				default:
					t.Fatalf("%s %q: %d %s", path, q, w.Code, w.Body)
				}
			}
		}
	})
}
