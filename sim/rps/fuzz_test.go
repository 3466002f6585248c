package rps_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"mpinlab/sim/rps"
	"mpinlab/sim/wire"
)

// The fuzz targets send anything to every handler of one server. Whatever
// comes, the server stays up and says 4xx, or 200 where what came was valid by
// chance; 500 is for a pass 2 without a pass 1 alone.

var target = sync.OnceValues(func() (*deployment, *user) {
	t := &background{}
	d := deploy(t, fast(t), func(c *rps.Config) { c.PhoneWait = time.Millisecond })
	return d, d.enrol("alice", "1234")
})

// background is a testing.TB for what all runs of a target share.
type background struct{ testing.TB }

func (*background) Helper()                   {}
func (*background) Cleanup(func())            {}
func (*background) Fatal(v ...any)            { panic(v) }
func (*background) Fatalf(f string, v ...any) { panic(f) }

// paths are those of the public handler, with a %s for an identity.
var paths = []string{
	"GET /rps/clientSettings", "PUT /rps/user", "PUT /rps/user/%s", "GET /rps/signature/%s", "POST /rps/setupDone/%s",
	"GET /rps/timePermit/%s", "POST /rps/pass1", "POST /rps/pass2", "POST /rps/authenticate", "POST /rps/getAccessNumber",
	"POST /rps/accessnumber", "POST /rps/getQrUrl", "POST /rps/access", "POST /rps/codeStatus", "GET /rps/authenticationToken",
	"GET /rps/status",
}

var privatePaths = []string{"POST /user/%s", "POST /authenticate", "POST /loginResult", "GET /status"}

func check(t *testing.T, h http.Handler, path, id, query string, body []byte) {
	t.Helper()
	method, to, _ := strings.Cut(path, " ")
	to = strings.ReplaceAll(to, "%s", id)
	r := newRequest(method, to, body)
	r.URL.RawQuery = query
	w := newRecorder()
	h.ServeHTTP(w, r)
	if w.Code >= 500 && !(path == "POST /rps/pass2" && w.Code == 500 && strings.Contains(w.Body.String(), "no pass 1")) {
		t.Errorf("%s %q: %d %s", path, body, w.Code, w.Body)
	}
	if w.Code == 204 || w.Code >= 300 && w.Code < 400 {
		t.Errorf("%s %q: %d", path, body, w.Code)
	}
}

func seeds(f *testing.F) {
	_, u := target()
	q := u.request1(u.prover("1234", u.permitFor(u.today())))
	one, err := json.Marshal(q)
	if err != nil {
		f.Fatal(err)
	}
	ott := strings.Repeat("ab", 16)
	for i, s := range []string{
		string(one),
		`{"mpin_id":"` + u.mpinID + `","V":"` + q.U + `","OTP":0,"WID":"0","pass":2}`,
		`{"userId":"alice","mobile":0,"deviceName":"x","regOTT":"` + ott + `","userData":"y"}`,
		`{"mpinResponse":{"authOTT":"` + ott + `","version":"0.3","pass":2}}`,
		`{"authOTT":"` + ott + `","logoutURL":"http://x","logoutData":{"a":[1,2]},"status":200}`,
		`{"webOTT":"` + ott + `"}`,
		`{"status":"wid","wid":"` + ott + `","userId":"alice"}`,
		`{"activateKey":"` + ott + ott + `"}`,
		"{}", "[]", "", "null", `{"pass":1`, "\xff", `{"mpin_id":1e400}`, strings.Repeat("[", 9000), strings.Repeat(" ", 17_000),
	} {
		f.Add(uint8(i), u.mpinID, "regOTT="+ott, []byte(s))
		f.Add(uint8(i+7), "7b7d", "regOTT=", []byte(s))
	}
}

func FuzzPublic(f *testing.F) {
	d, _ := target()
	seeds(f)
	h := d.rps.Public()
	f.Fuzz(func(t *testing.T, n uint8, id, query string, body []byte) {
		check(t, h, paths[int(n)%len(paths)], id, query, body)
	})
}

func FuzzPrivate(f *testing.F) {
	d, _ := target()
	seeds(f)
	h := d.rps.Private()
	f.Fuzz(func(t *testing.T, n uint8, id, query string, body []byte) {
		check(t, h, privatePaths[int(n)%len(privatePaths)], id, query, body)
	})
}

// TestEveryHandlerOnEverySeed gives each of the seeds to each of the handlers.
func TestEveryHandlerOnEverySeed(t *testing.T) {
	d, u := target()
	bodies := []string{"{}", "[]", "", "null", "\xff\xfe", `{"pass":1}`, `{"pass":2}`, `{"userId":7}`, `{"authOTT":"00"}`, strings.Repeat("x", 17_000)}
	for _, body := range bodies {
		for _, id := range []string{u.mpinID, "7b7d", "zz", "%00", strings.Repeat("7b", 2100)} {
			for _, p := range paths {
				check(t, d.rps.Public(), p, id, "regOTT=zz", []byte(body))
			}
			for _, p := range privatePaths {
				check(t, d.rps.Private(), p, id, "", []byte(body))
			}
		}
	}
}

func FuzzWebSocket(f *testing.F) {
	d, _ := target()
	seeds(f)
	f.Fuzz(func(t *testing.T, n uint8, _, _ string, body []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(d.public, "http")+"/authenticationToken", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		kind := websocket.MessageText
		if n%8 == 0 {
			kind = websocket.MessageBinary
		}
		if err := c.Write(ctx, kind, body); err != nil {
			return // closed while it was being sent: too large
		}
		_, b, err := c.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				t.Fatal("no answer and not closed")
			}
			if kind == websocket.MessageText && len(body) <= wire.MaxBody {
				t.Fatalf("closed: %v", err)
			}
			return
		}
		var a rps.SocketRefusal
		if err := json.Unmarshal(b, &a); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if a.StatusCode != 0 && (a.StatusCode < 400 || a.StatusCode > 499) && !strings.Contains(a.Message, "no pass 1") {
			t.Fatalf("%s", b)
		}
	})
}

// TestSocketLimits: what is too large or not text ends the connection, and an
// end of the server ends all.
func TestSocketLimits(t *testing.T) {
	d := deploy(t, fast(t), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := d.socket()
	if err := s.c.Write(ctx, websocket.MessageText, make([]byte, wire.MaxBody+1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("oversize: %v", err)
	}
	s = d.socket()
	if err := s.c.Write(ctx, websocket.MessageBinary, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("binary: %v", err)
	}
	s = d.socket()
	s.ask("{}")
	if err := d.rps.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.c.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("after the end: %v", err)
	}
}
