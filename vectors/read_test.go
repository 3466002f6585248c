package vectors_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"mpinlab/vectors"
	"mpinlab/vectors/strictjson"
)

const good = `{
 "format": "mpin-vectors/1", "suite": "rfc9380/bls12-381", "source": "test",
 "cases": [
  {"id": "a", "protocol": "two-pass", "flags": ["WrongPIN"],
   "in": {"identity": "616c696365", "pin_setup": 1234},
   "out": {"identity_hash": "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"}}
 ]
}`

func TestReadRefuses(t *testing.T) {
	if _, err := vectors.Read("good.json", strings.NewReader(good), ""); err != nil {
		t.Fatalf("the good document: %v", err)
	}
	for _, c := range []struct {
		what, old, new string
		want           []string // parts of the error
	}{
		{"unknown suite", "rfc9380/bls12-381", "rfc9380/bls12-382", []string{"suite", "bls12-382", "rfc9380/bls12-381"}},
		{"unknown format", "mpin-vectors/1", "mpin-vectors/2", []string{"format", "mpin-vectors/1"}},
		{"unknown protocol", "two-pass", "three-pass", []string{"cases[0]", "protocol", "three-pass", "one-pass"}},
		{"unknown flag", "WrongPIN", "WrongPin", []string{"cases[0]", "flags[0]", "WrongPin"}},
		{"unknown key of in", "pin_setup", "pin_set_up", []string{"line 5", "cases[0].in.pin_set_up", "unknown key", "pin_setup"}},
		{"unknown key of out", "identity_hash", "identity_hashes", []string{"line 6", "cases[0].out.identity_hashes", "identity_hash"}},
		{"unknown key of the file", `"source"`, `"sauce"`, []string{"line 2", "sauce", "source"}},
		{"key twice", `"pin_setup": 1234`, `"pin_setup": 1234, "pin_setup": 1`, []string{"line 5", "cases[0].in.pin_setup", "twice"}},
		{"odd hexadecimal", "616c696365", "616c69636", []string{"line 5", "cases[0].in.identity", "even number", "9"}},
		{"upper case", "616c696365", "616C696365", []string{"line 5", "cases[0].in.identity", "lowercase", "C", "4"}},
		{"no hexadecimal", "616c696365", "616c69636x", []string{"cases[0].in.identity", "x"}},
		{"string for integer", "1234", `"1234"`, []string{"line 5", "cases[0].in.pin_setup", "integer", "a string"}},
		{"fraction", "1234", "1234.5", []string{"cases[0].in.pin_setup", "1234.5"}},
		{"long PIN", "1234", "1234567890123", []string{"cases[0]", "pin_setup", "12 digits"}},
		{"negative PIN", "1234", "-1", []string{"pin_setup"}},
		{"no cases", good[strings.Index(good, `"cases"`):], `"cases": []}`, []string{"cases", "at least one"}},
		{"cut short", " ]\n}", "", []string{"line 6", "ends too early"}},
		{"something after", " ]\n}", " ]\n}{}", []string{"expected the end"}},
		{"comma missing", `"two-pass",`, `"two-pass"`, []string{"line 4"}},
		{"dst in rfc9380", `"pin_setup"`, `"dst": "x", "pin_setup"`, []string{"cases[0]", "in.dst"}},
		{"negative date", `"pin_setup"`, `"date": -1, "pin_setup"`, []string{"in.date"}},
		{"short point wanted", `"identity_hash": "`, `"token": "00", "identity_hash": "`, []string{"cases[0]", "out.token", "96 bytes", "found 1"}},
		{"bytes in two-pass", `"pin_setup"`, `"bytes": "00", "pin_setup"`, []string{"decode cases"}},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: nothing was replaced", c.what)
		}
		_, err := vectors.Read("bad.json", strings.NewReader(text), "")
		if err == nil {
			t.Errorf("%s: read without error", c.what)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error does not say %q: %v", c.what, part, err)
			}
		}
	}
	for what, text := range map[string]string{
		"nothing": "", "a number": "7", "null": "null", "an empty object": "{}", "an empty array": "[]",
		"an array of numbers": "[1]", "a Milagro file of no known curve": `[{"MPIN_ID_HEX":"00"}]`,
	} {
		if _, err := vectors.Read("x.json", strings.NewReader(text), ""); err == nil {
			t.Errorf("%s: read without error", what)
		}
	}
}

// endless gives the same text for ever.
func endless(text string) io.Reader { return &repeater{text: text} }

type repeater struct {
	text string
	at   int
}

func (r *repeater) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(b), nil
}

// TestReadIsBounded hands over documents without end, nested without end, and
// small ones that unpack without end.
func TestReadIsBounded(t *testing.T) {
	gz := func(r io.Reader) io.Reader {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := io.CopyN(w, r, strictjson.MaxBytes+1000); err != nil {
			t.Fatal(err)
		}
		w.Close()
		return &b
	}
	for what, r := range map[string]io.Reader{
		"1 GB of blanks":     io.LimitReader(endless(" "), 1<<30),
		"1 GB of brackets":   io.LimitReader(endless("[{\"a\":"), 1<<30),
		"a gzip bomb":        gz(endless(" ")),
		"too many elements":  io.MultiReader(strings.NewReader(`{"format":"mpin-vectors/1","cases":[`), io.LimitReader(endless("{},"), 3*200_000), strings.NewReader("{}]}")),
		"a Milagro flood":    io.MultiReader(strings.NewReader(`[{}`), io.LimitReader(endless(",{}"), 3*200_000), strings.NewReader("]")),
		"nested where skips": io.MultiReader(strings.NewReader(`{"ciphersuite":"BLS12381G1_","x":`), io.LimitReader(endless("["), 5000)),
	} {
		_, err := vectors.Read("x.json", r, "")
		if !errors.Is(err, strictjson.ErrTooLarge) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(good), "x.json")
	f.Add([]byte(`[{"MPIN_ID_HEX":"00","CURVE":"BN254CX","TOKEN":"04"}]`), "BN254.json")
	f.Add([]byte(`{"algorithm":"BLS","testGroups":[{"type":"BlsSigVerify","tests":[{"tcId":1,"sig":"00","result":"valid"}]}]}`), "")
	f.Add([]byte(`{"ciphersuite":"BLS12381G1_","randomOracle":true,"vectors":[{"P":{"x":"0x1","y":"0x2"},"msg":""}]}`), "")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		set, err := vectors.Read(name, bytes.NewReader(data), "")
		if err == nil && set.Cases() == 0 {
			t.Error("a set of no cases")
		}
	})
}
