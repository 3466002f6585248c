package rps_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/sim/rps"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// TestLoginOnEverySuite: right PIN, wrong PINs up to the block, and a new
// registration, over REST and over a WebSocket, verified one by one and in
// batches.
func TestLoginOnEverySuite(t *testing.T) {
	for _, c := range []struct {
		id, backend string
		slow        bool
	}{
		{"rfc9380/bls12-381", "gnark/bls12-381", false},
		{"milagro/fp256bn", "amcl/fp256bn", false},
		{"milagro/bn254cx", "reference/bn254cx", true},
	} {
		t.Run(strings.ReplaceAll(c.id, "/", "-"), func(t *testing.T) {
			if c.slow && testing.Short() {
				t.Skip("slow backend")
			}
			d := deploy(t, suite(t, c.id, c.backend), nil)
			u := d.enrol("alice@example.com", "1234")
			u.want("1234", 200)
			u.want("1243", 401)
			u.want("1234", 200) // clears
			u.want("4321", 401)
			if !c.slow {
				d.socketLogin(u, "1234", 200)
				u.want("4321", 401)
			}
			d.socketLogin(u, "9999", 401)
			u.want("0000", 410)
			u.want("1234", 410)
			d.socketLogin(u, "1234", 410)

			if c.slow {
				return
			}
			again := d.enrol("alice@example.com", "5555")
			if again.mpinID == u.mpinID {
				t.Fatal("the same mpinId")
			}
			again.want("5555", 200)
			u.want("1234", 410)
		})
		if c.slow {
			continue
		}
		t.Run(strings.ReplaceAll(c.id, "/", "-")+"-batching", func(t *testing.T) {
			d := deploy(t, suite(t, c.id, c.backend), func(c *rps.Config) { c.Batching = &protocol.BatchingOptions{} })
			u := d.enrol("alice@example.com", "1234")
			for _, step := range []struct {
				pin    string
				status int
			}{{"1234", 200}, {"1235", 401}, {"1234", 200}, {"1235", 401}, {"1236", 401}, {"1237", 410}, {"1234", 410}} {
				u.want(step.pin, step.status)
			}
		})
	}
}

// socketLogin logs in over a WebSocket.
func (d *deployment) socketLogin(u *user, pin string, status int) {
	d.t.Helper()
	s := d.socket()
	p := u.prover(pin, u.permit())
	var one wire.Pass1Answer
	var two wire.Pass2Answer
	if err := json.Unmarshal(s.ask(u.request1(p)), &one); err != nil || one.Y == "" {
		d.t.Fatalf("pass 1: %+v %v", one, err)
	}
	if err := json.Unmarshal(s.ask(u.request2(p, one.Y)), &two); err != nil || len(two.AuthOTT) != 32 {
		d.t.Fatalf("pass 2: %+v %v", two, err)
	}
	if got := d.redeem(two.AuthOTT).Status; got != status {
		d.t.Fatalf("login over a WebSocket: %d, want %d", got, status)
	}
}

func TestRedeemAnswer(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("bob \"the\" <builder> ü", "1234")
	a := d.redeem(u.passes("1234"))
	if a.Status != 200 || a.UserID != "bob \"the\" <builder> ü" || a.MpinID != u.mpinID || a.Message == "" || a.OTP != "" {
		t.Fatalf("%+v", a)
	}
	for name, c := range map[string]struct {
		body any
		want int
	}{
		"unknown":      {wire.RedeemRequest{AuthOTT: strings.Repeat("ab", 16)}, 408},
		"malformed":    {wire.RedeemRequest{AuthOTT: "xyz"}, 408},
		"missing":      {`{}`, 400},
		"bad JSON":     {`{"authOTT":`, 400},
		"not a string": {`{"authOTT":7}`, 400},
		"too long":     {wire.RedeemRequest{AuthOTT: strings.Repeat("ab", 16), LogoutURL: "http://x/" + strings.Repeat("y", 3000)}, 400},
		"script":       {wire.RedeemRequest{AuthOTT: strings.Repeat("ab", 16), LogoutURL: "javascript:alert(1)"}, 400},
	} {
		if got, b := d.call("POST", d.private+"/authenticate", c.body); got != c.want {
			t.Errorf("%s: %d %s, want %d", name, got, b, c.want)
		}
	}
}

func TestAuthOTTServesOnce(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	for _, pin := range []string{"1234", "4321"} {
		ott := u.passes(pin)
		first := d.redeem(ott).Status
		if first == 408 {
			t.Fatal("the first redeeming is refused")
		}
		if got := d.redeem(ott).Status; got != 408 {
			t.Errorf("the second redeeming after %d: %d", first, got)
		}
	}
	// Many at once: one gets the verdict.
	ott := u.passes("1234")
	verdicts := make(chan int, 20)
	for range cap(verdicts) {
		go func() {
			a, err := d.tryRedeem(ott)
			if err != nil {
				t.Error(err)
				verdicts <- 0
				return
			}
			verdicts <- a.Status
		}()
	}
	count := map[int]int{}
	for range cap(verdicts) {
		count[<-verdicts]++
	}
	if count[200] != 1 || count[408] != cap(verdicts)-1 {
		t.Errorf("%v", count)
	}
}

func TestPass1Refusals(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	valid := u.request1(u.prover("1234", u.permit()))
	fields := map[string]any{}
	b, _ := json.Marshal(valid)
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	g1 := len(valid.U)
	change := func(name string, v any) string {
		m := map[string]any{}
		for k, old := range fields {
			m[k] = old
		}
		if v == nil {
			delete(m, name)
		} else {
			m[name] = v
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	identity := d.suite.Backend().G1().Sub(d.suite.Backend().G1()).Bytes()
	bad := map[string]string{
		"no mpin_id":     change("mpin_id", nil),
		"no UT":          change("UT", nil),
		"no U":           change("U", nil),
		"no pass":        change("pass", nil),
		"pass 2":         change("pass", 2),
		"bad JSON":       `{"mpin_id":`,
		"nothing":        ``,
		"an array":       `[]`,
		"two values":     string(b) + string(b),
		"a member twice": strings.Replace(string(b), `"pass":1`, `"pass":1,"pass":1`, 1),
		"bad hex U":      change("U", strings.Repeat("zz", g1/2)),
		"bad hex UT":     change("UT", strings.Repeat("zz", g1/2)),
		"bad hex id":     change("mpin_id", "zz"),
		"odd id":         change("mpin_id", valid.MpinID[1:]),
		"id not JSON":    change("mpin_id", "abcd"),
		"long id":        change("mpin_id", strings.Repeat("7b", 3000)),
		"short U":        change("U", valid.U[2:]),
		"long U":         change("U", valid.U+"00"),
		"U off curve":    change("U", "80"+strings.Repeat("00", g1/2-2)+"01"),
		"UT off curve":   change("UT", "80"+strings.Repeat("00", g1/2-2)+"01"),
		"U identity":     change("U", hex.EncodeToString(identity)),
		"UT identity":    change("UT", hex.EncodeToString(identity)),
		"bad proof":      change("proof", "zz"),
		"long proof":     change("proof", strings.Repeat("00", 500)),
		"a number as id": change("mpin_id", 5),
	}
	s := d.socket()
	for name, body := range bad {
		if got, answer := d.call("POST", d.public+"/pass1", body); got != 403 {
			t.Errorf("%s: %d %s", name, got, answer)
		}
		var r rps.SocketRefusal
		if err := json.Unmarshal(s.ask(body), &r); err != nil || r.StatusCode != 403 && name != "pass 2" {
			t.Errorf("%s over a WebSocket: %+v %v", name, r, err)
		}
	}
	if got, _ := d.call("POST", d.public+"/pass1", `{"mpin_id":"`+strings.Repeat("7b", 10_000)+`"}`); got != 413 {
		t.Errorf("oversize: %d", got)
	}
	d.get(200, "POST", d.public+"/pass1", valid, nil)
}

func TestPass2Refusals(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	p := u.prover("1234", u.permit())
	var one wire.Pass1Answer
	d.get(200, "POST", d.public+"/pass1", u.request1(p), &one)
	valid := u.request2(p, one.Y)
	s := d.socket()
	for name, change := range map[string]func(q *wire.Pass2Request){
		"no mpin_id":  func(q *wire.Pass2Request) { q.MpinID = "" },
		"no V":        func(q *wire.Pass2Request) { q.V = "" },
		"bad hex":     func(q *wire.Pass2Request) { q.V = "zz" + q.V[2:] },
		"short V":     func(q *wire.Pass2Request) { q.V = q.V[2:] },
		"long V":      func(q *wire.Pass2Request) { q.V += "00" },
		"pass 0":      func(q *wire.Pass2Request) { q.Pass = 0 },
		"OTP 2":       func(q *wire.Pass2Request) { q.OTP = 2 },
		"WID":         func(q *wire.Pass2Request) { q.WID = "12" },
		"WID's check": func(q *wire.Pass2Request) { q.WID = "1234560" },
		"bad id":      func(q *wire.Pass2Request) { q.MpinID = "zz" },
	} {
		q := *valid
		change(&q)
		if got, answer := d.call("POST", d.public+"/pass2", q); got != 403 {
			t.Errorf("%s: %d %s", name, got, answer)
		}
		var r rps.SocketRefusal
		if err := json.Unmarshal(s.ask(q), &r); err != nil || r.StatusCode != 403 {
			t.Errorf("%s over a WebSocket: %+v %v", name, r, err)
		}
	}
	if got, _ := d.call("POST", d.public+"/pass2", `{`); got != 403 {
		t.Errorf("bad JSON: %d", got)
	}
	// None of them used the challenge up.
	var two wire.Pass2Answer
	d.get(200, "POST", d.public+"/pass2", valid, &two)
	if got := d.redeem(two.AuthOTT).Status; got != 200 {
		t.Errorf("verdict %d", got)
	}
	if got, _ := d.call("POST", d.public+"/pass2", valid); got != 500 {
		t.Errorf("pass 2 a second time: %d", got)
	}
	var r rps.SocketRefusal
	if err := json.Unmarshal(s.ask(valid), &r); err != nil || r.StatusCode != 500 || r.Pass != 2 {
		t.Errorf("pass 2 without pass 1 over a WebSocket: %+v %v", r, err)
	}
}

func TestOTP(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	for _, otp := range []any{1, "1", true} {
		p := u.prover("1234", u.permit())
		var one wire.Pass1Answer
		d.get(200, "POST", d.public+"/pass1", u.request1(p), &one)
		q := u.request2(p, one.Y)
		var two wire.Pass2Answer
		d.get(200, "POST", d.public+"/pass2", map[string]any{"mpin_id": q.MpinID, "V": q.V, "OTP": otp, "WID": "0", "pass": 2}, &two)
		var n int
		if _, err := fmt.Sscanf(two.OTP, "%06d", &n); err != nil || len(two.OTP) != 6 {
			t.Fatalf("OTP %q", two.OTP)
		}
		if a := d.redeem(two.AuthOTT); a.Status != 200 || a.OTP != two.OTP {
			t.Fatalf("%+v, OTP %s", a, two.OTP)
		}
	}
}

// TestExpiry: a challenge is good for 15 s, authOTT for 60 s. At the very end
// either is right.
func TestExpiry(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	permit := u.permit()
	for _, c := range []struct {
		before, after time.Duration
		pass2, redeem int
	}{
		{15*time.Second - time.Millisecond, 0, 200, 200},
		{15*time.Second + time.Millisecond, 0, 500, 0},
		{0, 60*time.Second - time.Millisecond, 200, 200},
		{0, 60*time.Second + time.Millisecond, 200, 408},
	} {
		p := u.prover("1234", permit)
		var one wire.Pass1Answer
		d.get(200, "POST", d.public+"/pass1", u.request1(p), &one)
		d.clock.Add(c.before)
		var two wire.Pass2Answer
		d.get(c.pass2, "POST", d.public+"/pass2", u.request2(p, one.Y), &two)
		if c.pass2 != 200 {
			continue
		}
		d.clock.Add(c.after)
		if got := d.redeem(two.AuthOTT).Status; got != c.redeem {
			t.Errorf("redeemed after %s: %d", c.after, got)
		}
	}
}

// TestSubgroup: points of the curve outside the group are refused: at pass 1
// where logins are judged one by one, at the latest when the login is judged
// where batches check subgroups.
func TestSubgroup(t *testing.T) {
	s := fast(t)
	lenient, ok := s.Backend().(backends.BatchSubgroup)
	if !ok {
		t.Fatal("no decoding without subgroup check")
	}
	outside := ""
	for x := 1; outside == "" && x < 100; x++ {
		b := make([]byte, 48)
		b[0], b[47] = 0x80, byte(x)
		if _, err := s.DecodeG1(b); errors.Is(err, backends.ErrNotInSubgroup) {
			p, err := lenient.DecodeG1Unchecked(b)
			if err != nil {
				t.Fatal(err)
			}
			outside = hex.EncodeToString(p.Bytes())
		}
	}
	if outside == "" {
		t.Fatal("no such point")
	}
	single := deploy(t, s, nil)
	u := single.enrol("alice", "1234")
	for _, change := range []func(q *wire.Pass1Request){
		func(q *wire.Pass1Request) { q.U = outside },
		func(q *wire.Pass1Request) { q.UT = outside },
	} {
		q := u.request1(u.prover("1234", u.permit()))
		change(q)
		if got, _ := single.call("POST", single.public+"/pass1", q); got != 403 {
			t.Errorf("one by one: %d", got)
		}
	}
	batching := deploy(t, s, func(c *rps.Config) { c.Batching = &protocol.BatchingOptions{} })
	u = batching.enrol("alice", "1234")
	for _, point := range []string{"UT", "V"} {
		p := u.prover("1234", u.permit())
		q := u.request1(p)
		if point == "UT" {
			q.UT = outside
		}
		var one wire.Pass1Answer
		if got, b := batching.call("POST", batching.public+"/pass1", q); got != 200 || json.Unmarshal(b, &one) != nil {
			t.Fatalf("batching, %s: %d %s", point, got, b)
		}
		q2 := u.request2(p, one.Y)
		if point == "V" {
			q2.V = outside
		}
		var two wire.Pass2Answer
		batching.get(200, "POST", batching.public+"/pass2", q2, &two)
		if got := batching.redeem(two.AuthOTT).Status; got != 401 {
			t.Errorf("batching, %s: %d", point, got)
		}
	}
	if n := batching.verdicts("malformed"); n != 2 {
		t.Errorf("%d malformed", n)
	}
}

// TestCompressed: points may come compressed, and are the same points then.
func TestCompressed(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	compress := func(text string) string {
		p, err := d.suite.DecodeG1(unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(p.BytesCompressed())
	}
	p := u.prover("1234", u.permit())
	long := u.request1(p)
	short := *long
	short.U, short.UT = compress(long.U), compress(long.UT)
	var one wire.Pass1Answer
	d.get(200, "POST", d.public+"/pass1", short, &one)
	q := u.request2(p, one.Y)
	q.V = compress(q.V)
	var two wire.Pass2Answer
	d.get(200, "POST", d.public+"/pass2", q, &two)
	if got := d.redeem(two.AuthOTT).Status; got != 200 {
		t.Errorf("%d", got)
	}
	if got, _ := d.call("POST", d.public+"/pass1", long); got != 403 {
		t.Errorf("the same U uncompressed: %d", got)
	}
}

// TestHourZero: yesterday's permit during the UTC hour 0, and no other.
func TestHourZero(t *testing.T) {
	for _, batching := range []*protocol.BatchingOptions{nil, {}} {
		d := deploy(t, fast(t), func(c *rps.Config) { c.Batching = batching })
		u := d.enrol("alice", "1234")
		u.proof = true
		midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		today, err := protocol.DateOf(midnight)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			at     time.Time
			day    protocol.Date
			status int
		}{
			{midnight.Add(-time.Second), today - 1, 200},
			{midnight.Add(-time.Second), today, 401},
			{midnight, today, 200},
			{midnight, today - 1, 200},
			{midnight, today - 2, 401},
			{midnight.Add(time.Hour - time.Second), today - 1, 200},
			{midnight.Add(time.Hour), today - 1, 401},
			{midnight.Add(time.Hour), today, 200},
			{midnight.Add(48 * time.Hour), today, 401},
			{midnight.Add(-48 * time.Hour), today, 401},
		} {
			d.clock.Set(c.at)
			if got := d.redeem(u.passesWith("1234", u.permitFor(c.day), "0")).Status; got != c.status {
				t.Errorf("at %s with a permit for %s: %d, want %d", c.at, c.day, got, c.status)
			}
			if c.status == 200 && c.day == today-1 {
				// A wrong PIN shows its error under yesterday's permit too.
				if got := d.redeem(u.passesWith("1235", u.permitFor(c.day), "0")).Status; got != 401 {
					t.Errorf("at %s: wrong PIN %d", c.at, got)
				}
				if n, err := d.store.Failures(t.Context(), hashKey(u.raw)); err != nil || n != 1 {
					t.Errorf("at %s: %d failures counted, %v", c.at, n, err)
				}
				d.redeem(u.passesWith("1234", u.permitFor(c.day), "0"))
			}
		}
	}
}

func hashKey(raw []byte) string {
	h := wire.HashIdentity(raw)
	return string(h[:])
}

// TestSwaps: what belongs to one login is of no use in another.
func TestSwaps(t *testing.T) {
	d := deploy(t, fast(t), nil)
	alice, bob := d.enrol("alice", "1234"), d.enrol("bob", "1234")

	t.Run("bob's proof as alice's", func(t *testing.T) {
		p := bob.prover("1234", bob.permit())
		q := bob.request1(p)
		q.MpinID = alice.mpinID
		var one wire.Pass1Answer
		d.get(200, "POST", d.public+"/pass1", q, &one)
		two := bob.request2(p, one.Y)
		two.MpinID = alice.mpinID
		var a wire.Pass2Answer
		d.get(200, "POST", d.public+"/pass2", two, &a)
		if got := d.redeem(a.AuthOTT).Status; got != 401 {
			t.Errorf("%d", got)
		}
	})
	t.Run("pass 2 of another user", func(t *testing.T) {
		p := alice.prover("1234", alice.permit())
		var one wire.Pass1Answer
		d.get(200, "POST", d.public+"/pass1", alice.request1(p), &one)
		q := alice.request2(p, one.Y)
		q.MpinID = bob.mpinID
		if got, _ := d.call("POST", d.public+"/pass2", q); got != 500 {
			t.Errorf("%d", got)
		}
	})
	t.Run("V for another y, and the latest pass 1 wins", func(t *testing.T) {
		first, second := alice.prover("1234", alice.permit()), alice.prover("1234", alice.permit())
		var y1, y2 wire.Pass1Answer
		d.get(200, "POST", d.public+"/pass1", alice.request1(first), &y1)
		d.get(200, "POST", d.public+"/pass1", alice.request1(second), &y2)
		if y1.Y == y2.Y {
			t.Fatal("the same y")
		}
		var a wire.Pass2Answer
		d.get(200, "POST", d.public+"/pass2", alice.request2(first, y1.Y), &a)
		if got := d.redeem(a.AuthOTT).Status; got != 401 {
			t.Errorf("answer to the earlier challenge: %d", got)
		}
		if got, _ := d.call("POST", d.public+"/pass2", alice.request2(second, y2.Y)); got != 500 {
			t.Errorf("the challenge was used twice: %d", got)
		}
	})
	t.Run("replays", func(t *testing.T) {
		p := alice.prover("1234", alice.permit())
		one, y := alice.request1(p), wire.Pass1Answer{}
		d.get(200, "POST", d.public+"/pass1", one, &y)
		two, a := alice.request2(p, y.Y), wire.Pass2Answer{}
		d.get(200, "POST", d.public+"/pass2", two, &a)
		if got := d.redeem(a.AuthOTT).Status; got != 200 {
			t.Fatal(got)
		}
		if got, _ := d.call("POST", d.public+"/pass2", two); got != 500 {
			t.Errorf("pass 2 replayed: %d", got)
		}
		if got, _ := d.call("POST", d.public+"/pass1", one); got != 403 {
			t.Errorf("pass 1 replayed: %d", got)
		}
		if got := d.redeem(a.AuthOTT).Status; got != 408 {
			t.Errorf("authOTT replayed: %d", got)
		}
		if n := d.count("mpin_repeated_u_total"); n != 1 {
			t.Errorf("%d U seen again", n)
		}
		// Recorded messages under a fresh challenge of someone who knows the id.
		fresh := alice.prover("1234", alice.permit())
		d.get(200, "POST", d.public+"/pass1", alice.request1(fresh), &y)
		d.get(200, "POST", d.public+"/pass2", two, &a)
		if got := d.redeem(a.AuthOTT).Status; got != 401 {
			t.Errorf("old V under a new challenge: %d", got)
		}
	})
	// None of it locked anyone out: none came from a token with a wrong PIN.
	alice.want("1234", 200)
	bob.want("1234", 200)
}

// TestRepeatedUInMilagro: deployed clients of that dialect do not seed their
// generator, so it is counted and not refused.
func TestRepeatedUInMilagro(t *testing.T) {
	d := deploy(t, suite(t, "milagro/fp256bn", "amcl/fp256bn"), nil)
	u := d.enrol("alice", "1234")
	q := u.request1(u.prover("1234", u.permit()))
	for range 2 {
		d.get(200, "POST", d.public+"/pass1", q, nil)
	}
	if n := d.count("mpin_repeated_u_total"); n != 1 {
		t.Errorf("%d U seen again", n)
	}
}

// TestBegunBeforeTheBlock: a login that was begun before the block and is
// redeemed after it is refused.
func TestBegunBeforeTheBlock(t *testing.T) {
	d := deploy(t, fast(t), nil)
	u := d.enrol("alice", "1234")
	ott := u.passes("1234")
	u.want("0001", 401)
	u.want("0002", 401)
	u.want("0003", 410)
	if got := d.redeem(ott).Status; got != 410 {
		t.Errorf("redeemed after the block: %d", got)
	}
	if got := d.count("mpin_blocks_total"); got != 1 {
		t.Errorf("%d blocks", got)
	}
}

// TestSecretsStayOut: nothing secret is in the logs of a whole life.
func TestSecretsStayOut(t *testing.T) {
	d := deploy(t, fast(t), nil)
	var reg wire.RegisterAnswer
	d.get(200, "PUT", d.public+"/user", wire.RegisterRequest{UserID: "alice@example.com"}, &reg)
	u := d.fetchSecret(&reg, "1234")
	secrets := []string{reg.RegOTT, reg.MpinID, "alice@example.com", appKey}
	for _, pin := range []string{"1234", "1111"} {
		p := u.prover(pin, u.permit())
		var one wire.Pass1Answer
		var two wire.Pass2Answer
		d.get(200, "POST", d.public+"/pass1", u.request1(p), &one)
		q := u.request2(p, one.Y)
		d.get(200, "POST", d.public+"/pass2", q, &two)
		d.redeem(two.AuthOTT)
		secrets = append(secrets, one.Y, q.V, two.AuthOTT)
	}
	d.call("POST", d.public+"/pass1", `{"mpin_id":"`+reg.MpinID+`","U":"00","UT":"00","pass":1}`)
	d.call("GET", d.public+"/signature/"+reg.MpinID+"?regOTT=00", nil)
	secret, err := d.dtas.ServerSecret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, hex.EncodeToString(secret.Bytes()))
	logs := d.logs.String()
	if !strings.Contains(logs, "wrong_pin") {
		t.Fatal("no verdict in the log")
	}
	for i, s := range secrets {
		if strings.Contains(logs, s) {
			t.Errorf("secret %d is in the log", i)
		}
	}
}

// TestSocketsShareARate: who opens several WebSockets gets no more through than
// over one.
func TestSocketsShareARate(t *testing.T) {
	const burst = 8
	d := deploy(t, fast(t), func(c *rps.Config) { c.Rate = service.Rate{PerSecond: 0.001, Burst: burst} })
	a, b := d.socket(), d.socket() // one of the burst each
	answered := 0
	for range burst {
		for _, s := range []*socket{a, b} {
			var r rps.SocketRefusal
			if err := json.Unmarshal(s.ask(`{"pass":3}`), &r); err != nil {
				t.Fatal(err)
			}
			switch r.StatusCode {
			case 403:
				answered++
			case 429:
			default:
				t.Fatalf("%+v", r)
			}
		}
	}
	if answered != burst-2 {
		t.Errorf("%d messages of a burst of %d, two of which opened the WebSockets", answered, burst)
	}
}
