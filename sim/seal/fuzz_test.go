package seal

import (
	"bytes"
	"context"
	"testing"
)

// fuzzOpen: whatever the bytes, Open gives a secret that was sealed for the
// label or one of the errors that changed bytes may give. Under a key, only
// what was sealed opens; the checksum is mended, so that the fuzzer gets past.
func fuzzOpen(f *testing.F, s Sealer, kind string) {
	ctx := context.Background()
	genuine := mustSeal(f, s, testLabel, testSecret)
	f.Add(genuine)
	f.Add(mustSeal(f, s, "dta 2", testSecret))
	f.Add(mustSeal(f, clearSealer(f), testLabel, testSecret))
	f.Add(mustSeal(f, cheapAge(f, "another"), testLabel, testSecret))
	f.Add([]byte("mpin-seal/1 " + kind + "\nlabel \"x\"\nsum \"\"\n\n"))
	f.Add(genuine[:len(genuine)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, mended(b)} {
			before := bytes.Clone(b)
			got, err := s.Open(ctx, testLabel, b)
			if !bytes.Equal(b, before) {
				t.Fatal("the input was changed")
			}
			if err != nil {
				if got != nil || !refused(err) {
					t.Fatalf("%q, %v", got, err)
				}
				continue
			}
			info, err := Inspect(b)
			if err != nil || info != (Info{kind, testLabel}) {
				t.Fatalf("opened, but %v, %v", info, err)
			}
			if kind != KindNone && !bytes.Equal(got, testSecret) {
				t.Fatalf("opened to %q, which was never sealed", got)
			}
		}
	})
}

func FuzzOpenNone(f *testing.F) { fuzzOpen(f, clearSealer(f), KindNone) }

func FuzzOpenAge(f *testing.F) { fuzzOpen(f, cheapAge(f, "right"), KindAge) }

// FuzzHeader: what a header says is what would be written for it.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("dta 1"), []byte{1, 2, 3})
	f.Add([]byte("\"\\\xff"), []byte{})
	f.Fuzz(func(t *testing.T, label, keyID []byte) {
		if checkLabel(string(label)) != nil || len(keyID) > maxKeyID {
			return
		}
		sealed := joinEnvelope(newHeader(KindPKCS11, string(label), keyID), testSecret)
		e, err := parseEnvelope(sealed)
		if err != nil || e.label != string(label) || !bytes.Equal(e.keyID, keyID) || !bytes.Equal(e.body, testSecret) {
			t.Fatalf("%+v, %v", e, err)
		}
	})
}
