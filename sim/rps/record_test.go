package rps

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/sim/wire"
)

func TestRecords(t *testing.T) {
	p := gopter.NewProperties(nil)
	blob := gen.SliceOf(gen.UInt8())
	ms := func(n int64) time.Time { return time.UnixMilli(n & (1<<50 - 1)) }
	p.Property("a login is read as it was written, in two parts", prop.ForAll(
		func(id, u, ut, y, proof, v []byte, wid, otp string, begun, answered int64) bool {
			l := &login{ms(begun), id, u, ut, y, proof, ms(answered), v, wid, otp}
			b := append(l.encodePass1(), l.encodePass2()...)
			got, err := readLogin(b)
			return err == nil && got.begun.Equal(l.begun) && got.answered.Equal(l.answered) && bytes.Equal(got.id, id) &&
				bytes.Equal(got.u, u) && bytes.Equal(got.ut, ut) && bytes.Equal(got.y, y) && bytes.Equal(got.proof, proof) &&
				bytes.Equal(got.v, v) && got.wid == wid && got.otp == otp
		}, blob, blob, blob, blob, blob, blob, gen.AnyString(), gen.AnyString(), gen.Int64(), gen.Int64()))
	p.Property("a registration is read as it was written", prop.ForAll(
		func(state uint8, ott []byte, created int64) bool {
			g := &registration{state: state, created: ms(created)}
			copy(g.regOTT[:], ott)
			got, err := readRegistration(g.encode())
			return err == nil && *got == *g
		}, gen.UInt8(), blob, gen.Int64()))
	p.Property("a code is read as it was written", prop.ForAll(
		func(a, b, c string, at int64) bool {
			k := &code{a, b, c, ms(at)}
			got, err := readCode(k.encode())
			return err == nil && *got == *k
		}, gen.AnyString(), gen.AnyString(), gen.AnyString(), gen.Int64()))
	p.Property("a permit is read as it was written", prop.ForAll(
		func(share, proof string, n uint8) bool {
			k := &permit{share: share, set: wire.Set{1, 2 + int(n)/2}}
			for i := range int(n % 5) {
				k.shares = append(k.shares, wire.ProvedShare{DTA: i, Share: share, Proof: proof})
			}
			got, err := readPermit(k.encode())
			return err == nil && reflect.DeepEqual(got, k)
		}, gen.AnyString(), gen.AnyString(), gen.UInt8()))
	p.TestingRun(t)

	r := &result{200, "http://x", []byte(`{"a":1}`)}
	if got, err := readResult(r.encode()); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%+v %v", got, err)
	}
	d := &passed{ms(5), []byte("id"), "123456"}
	if got, err := readPassed(d.encode()); err != nil || !reflect.DeepEqual(got, d) {
		t.Errorf("%+v %v", got, err)
	}
}

func FuzzRecords(f *testing.F) {
	l := &login{id: []byte("id"), u: []byte("u"), begun: time.UnixMilli(1), answered: time.UnixMilli(2)}
	f.Add([]byte(append(l.encodePass1(), l.encodePass2()...)))
	f.Add([]byte((&registration{state: active}).encode()))
	f.Add([]byte((&code{status: "new"}).encode()))
	f.Add([]byte((&permit{share: "00", set: wire.Set{1, 2}}).encode()))
	f.Add([]byte((&result{}).encode()))
	f.Add([]byte((&passed{}).encode()))
	f.Add([]byte{formPermit, 0, 0, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := readLogin(b); err == nil && len(l.id) > len(b) {
			t.Error("longer than the record")
		}
		readRegistration(b)
		readPassed(b)
		readCode(b)
		readPermit(b)
		readResult(b)
	})
}

func TestSixDigits(t *testing.T) {
	for _, c := range []struct {
		random string
		want   string
	}{
		{"\x00\x00\x00", "000000"},
		{"\x00\x00\x07", "000007"},
		{"\xf4\x23\xff", "999999"},             // 15999999
		{"\xf4\x24\x00\x00\x00\x01", "000001"}, // 16000000 is drawn again
	} {
		if got, err := sixDigits(strings.NewReader(c.random)); err != nil || got != c.want {
			t.Errorf("%x: %s %v", c.random, got, err)
		}
	}
	if _, err := sixDigits(strings.NewReader("")); err == nil {
		t.Error("an OTP from nothing")
	}
}

func TestFlag(t *testing.T) {
	for in, want := range map[string]int{"0": 0, `"0"`: 0, "false": 0, "null": 0, "1": 1, `"1"`: 1, "true": 1} {
		var f flag
		if err := f.UnmarshalJSON([]byte(in)); err != nil || int(f) != want {
			t.Errorf("%s: %d %v", in, f, err)
		}
	}
	for _, in := range []string{"2", "-1", `"yes"`, "1.0", "{}", "[]"} {
		var f flag
		if err := f.UnmarshalJSON([]byte(in)); err == nil {
			t.Errorf("%s is taken", in)
		}
	}
}
