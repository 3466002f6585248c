// Package strictjson reads JSON into Go values within bounded memory, refuses
// what it does not know, and says where.
//
// encoding/json forgets where an error was and skips keys that it does not
// know or sees twice; for test vectors both would turn a mistake into a pass.
// Every error of this package names the line and the path of the value that
// was wrong, and what was expected there.
package strictjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// Limits of a document. Larger ones are refused before anything is built from
// them.
const (
	MaxBytes    = 64 << 20
	MaxDepth    = 16
	MaxElements = 100_000 // of one array or object
)

// ErrTooLarge: a document over one of the limits.
var ErrTooLarge = errors.New("too large")

// Hex is a byte string written in lowercase hexadecimal. nil means that the
// key is absent; the empty string gives an empty slice.
type Hex []byte

// MarshalText writes lowercase hexadecimal.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// Read reads a whole document, at most MaxBytes long.
func Read(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, MaxBytes)
	}
	return data, nil
}

// Mode says how to treat what a document has beyond the Go value.
type Mode uint8

const (
	// Strict refuses keys that the struct has no field for, and hexadecimal
	// in upper case.
	Strict Mode = iota
	// Lenient passes over them: for other parties' formats.
	Lenient
)

// Decode reads data, one JSON value and nothing after it, into the value that
// v points to: structs with json tags, slices, maps with string keys, strings,
// bools, signed integers, Hex, and pointers to these. Keys that are there
// twice are errors in either mode.
func Decode(data []byte, v any, mode Mode) error {
	d := &decoder{data: data, json: json.NewDecoder(bytes.NewReader(data)), mode: mode}
	d.json.UseNumber()
	if err := d.value(reflect.ValueOf(v).Elem()); err != nil {
		return err
	}
	if _, err := d.json.Token(); err != io.EOF {
		return d.errorf("expected the end of the document")
	}
	return nil
}

type decoder struct {
	data []byte
	json *json.Decoder
	mode Mode
	path []string
}

// errorf makes an error that says where the decoder is.
func (d *decoder) errorf(format string, args ...any) error {
	line := 1 + bytes.Count(d.data[:min(int(d.json.InputOffset()), len(d.data))], []byte{'\n'})
	where := strings.TrimPrefix(strings.Join(d.path, ""), ".")
	if where == "" {
		where = "the document"
	}
	return fmt.Errorf("line %d: %s: %w", line, where, fmt.Errorf(format, args...))
}

// token returns the next token.
func (d *decoder) token() (json.Token, error) {
	t, err := d.json.Token()
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return nil, d.errorf("the document ends too early")
	case err != nil:
		return nil, d.errorf("%v", err)
	}
	return t, nil
}

// within decodes a part of the current value.
func (d *decoder) within(part string, f func() error) error {
	d.path = append(d.path, part)
	if len(d.path) > MaxDepth {
		return d.errorf("%w: nested more than %d deep", ErrTooLarge, MaxDepth)
	}
	if err := f(); err != nil {
		return err
	}
	d.path = d.path[:len(d.path)-1]
	return nil
}

var hexType = reflect.TypeFor[Hex]()

func (d *decoder) value(v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := d.value(p.Elem()); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	t, err := d.token()
	if err != nil {
		return err
	}
	if v.Type() == hexType {
		return d.hex(v, t)
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.object(t, d.structField(v))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		return d.object(t, func(key string) error {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := d.value(e); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(key), e)
			return nil
		})
	case reflect.Slice:
		return d.array(v, t)
	case reflect.String:
		s, ok := t.(string)
		if !ok {
			return d.errorf("expected a string, found %s", describe(t))
		}
		v.SetString(s)
	case reflect.Bool:
		b, ok := t.(bool)
		if !ok {
			return d.errorf("expected true or false, found %s", describe(t))
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, ok := t.(json.Number)
		if !ok {
			return d.errorf("expected an integer, found %s", describe(t))
		}
		i, err := strconv.ParseInt(n.String(), 10, v.Type().Bits())
		if err != nil {
			return d.errorf("expected an integer of %d bits, found %.30s", v.Type().Bits(), n)
		}
		v.SetInt(i)
	default:
		panic("strictjson: no rule for " + v.Type().String())
	}
	return nil
}

// structField returns what reads the value of a key into v's field.
func (d *decoder) structField(v reflect.Value) func(key string) error {
	fields := map[string]int{}
	var names []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = i
		names = append(names, name)
	}
	return func(key string) error {
		i, ok := fields[key]
		switch {
		case ok:
			return d.value(v.Field(i))
		case d.mode == Lenient:
			return d.skip()
		}
		return d.errorf("unknown key; expected one of %s", strings.Join(names, ", "))
	}
}

// object reads the keys and values of an object whose opening token was t.
func (d *decoder) object(t json.Token, field func(key string) error) error {
	if t != json.Delim('{') {
		return d.errorf("expected an object, found %s", describe(t))
	}
	seen := map[string]bool{}
	for d.json.More() {
		t, err := d.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return d.errorf("expected a key, found %s", describe(t))
		}
		if len(seen) == MaxElements {
			return d.errorf("%w: more than %d keys", ErrTooLarge, MaxElements)
		}
		if err := d.within("."+shorten(key), func() error {
			if seen[key] {
				return d.errorf("the key is there twice")
			}
			seen[key] = true
			return field(key)
		}); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

// array reads the elements of an array whose opening token was t.
func (d *decoder) array(v reflect.Value, t json.Token) error {
	if t != json.Delim('[') {
		return d.errorf("expected an array, found %s", describe(t))
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for i := 0; d.json.More(); i++ {
		if i == MaxElements {
			return d.errorf("%w: more than %d elements", ErrTooLarge, MaxElements)
		}
		if err := d.within("["+strconv.Itoa(i)+"]", func() error {
			e := reflect.New(v.Type().Elem()).Elem()
			if err := d.value(e); err != nil {
				return err
			}
			v.Set(reflect.Append(v, e))
			return nil
		}); err != nil {
			return err
		}
	}
	_, err := d.token()
	return err
}

func (d *decoder) hex(v reflect.Value, t json.Token) error {
	s, ok := t.(string)
	if !ok {
		return d.errorf("expected a string of hexadecimal digits, found %s", describe(t))
	}
	if d.mode == Lenient {
		s = strings.ToLower(s)
	}
	if len(s)%2 != 0 {
		return d.errorf("expected an even number of hexadecimal digits, found %d", len(s))
	}
	for i := range len(s) {
		if !strings.ContainsRune("0123456789abcdef", rune(s[i])) {
			return d.errorf("expected lowercase hexadecimal digits, found %q at character %d", s[i:i+1], i+1)
		}
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return d.errorf("%v", err)
	}
	v.SetBytes(b)
	return nil
}

// skip passes over a value of any kind.
func (d *decoder) skip() error {
	t, err := d.token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return d.object(t, func(string) error { return d.skip() })
	case json.Delim('['):
		for i := 0; d.json.More(); i++ {
			if err := d.within("["+strconv.Itoa(i)+"]", d.skip); err != nil {
				return err
			}
		}
		_, err := d.token()
		return err
	}
	return nil
}

func describe(t json.Token) string {
	switch t := t.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case json.Number:
		return "the number " + shorten(t.String())
	case bool:
		return fmt.Sprint(t)
	case json.Delim:
		if t == '{' {
			return "an object"
		}
		return "an array"
	}
	return "something else"
}

// shorten keeps hostile keys from filling error messages.
func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
