package strictjson

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

type document struct {
	Name  string            `json:"name"`
	Count *int64            `json:"count,omitempty"`
	Small int32             `json:"small"`
	Data  Hex               `json:"data"`
	Many  []Hex             `json:"many"`
	Notes map[string]string `json:"notes"`
	Yes   *bool             `json:"yes"`
	Parts []struct {
		ID string `json:"id"`
	} `json:"parts"`
}

func TestDecode(t *testing.T) {
	var d document
	text := `{"name":"n","count":5,"small":-3,"data":"","many":["00","ff01"],"notes":{"a":"b"},"yes":false,"parts":[{"id":"x"},{}]}`
	if err := Decode([]byte(text), &d, Strict); err != nil {
		t.Fatal(err)
	}
	switch {
	case d.Name != "n", *d.Count != 5, d.Small != -3, d.Data == nil, len(d.Data) != 0, *d.Yes,
		!reflect.DeepEqual(d.Many, []Hex{{0}, {0xff, 1}}), d.Notes["a"] != "b", len(d.Parts) != 2, d.Parts[0].ID != "x":
		t.Errorf("%+v", d)
	}
	if err := Decode([]byte(`{"data":"AB","extra":{"a":[1,{"b":null}]}}`), &d, Lenient); err != nil || d.Data[0] != 0xab {
		t.Errorf("lenient: %v, %x", err, d.Data)
	}
}

func TestDecodeSaysWhere(t *testing.T) {
	for text, want := range map[string]string{
		"{\n\"name\": 1}":                   "line 2: name: expected a string, found the number 1",
		`{"many":["00","0"]}`:               "many[1]: expected an even number of hexadecimal digits, found 1",
		`{"parts":[{"id":"a"},{"ID":"b"}]}`: "parts[1].ID: unknown key; expected one of id",
		`{"notes":{"a":"b","a":"c"}}`:       "notes.a: the key is there twice",
		`{"small":3000000000}`:              "small: expected an integer of 32 bits, found 3000000000",
		`{"small":1e2}`:                     "small: expected an integer of 32 bits, found 1e2",
		`{"yes":null}`:                      "yes: expected true or false, found null",
		`{"parts":{}}`:                      "parts: expected an array, found an object",
		`[]`:                                "the document: expected an object, found an array",
		`{"name":"a"} x`:                    "expected the end of the document",
		`{"name":"a"`:                       "the document ends too early",
		`{"name":}`:                         "name: ",
		`{'name':1}`:                        "line 1",
	} {
		var d document
		err := Decode([]byte(text), &d, Strict)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, not %q", text, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	var d document
	deep := `{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`
	if err := Decode([]byte(deep), &d, Lenient); !errors.Is(err, ErrTooLarge) {
		t.Errorf("nested: %v", err)
	}
	long := `{"many":[` + strings.Repeat(`"",`, MaxElements) + `""]}`
	if err := Decode([]byte(long), &d, Strict); !errors.Is(err, ErrTooLarge) {
		t.Errorf("long: %v", err)
	}
	key := `{"` + strings.Repeat("k", 1000) + `":1}`
	if err := Decode([]byte(key), &d, Strict); err == nil || len(err.Error()) > 300 {
		t.Errorf("a long key makes a long error: %d bytes", len(err.Error()))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"n","count":5,"data":"00","many":["00"],"notes":{"a":"b"},"parts":[{"id":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, mode := range []Mode{Strict, Lenient} {
			var d document
			_ = Decode(data, &d, mode)
		}
	})
}
