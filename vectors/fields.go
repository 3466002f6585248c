package vectors

import (
	"fmt"
	"reflect"
	"strings"

	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// field is a field of In or Out by its JSON name.
type field struct {
	name  string
	value reflect.Value
}

// fieldsOf lists the fields of an In or Out in their order.
func fieldsOf(v any) []field {
	s := reflect.ValueOf(v).Elem()
	var fs []field
	for i := range s.NumField() {
		name, _, _ := strings.Cut(s.Type().Field(i).Tag.Get("json"), ",")
		fs = append(fs, field{name, s.Field(i)})
	}
	return fs
}

// given reports whether the field is there.
func (f field) given() bool { return !f.value.IsZero() }

// text shows the field's value as the JSON has it.
func (f field) text() string {
	switch v := f.value.Interface().(type) {
	case strictjson.Hex:
		return fmt.Sprintf("%x", []byte(v))
	case []strictjson.Hex:
		parts := make([]string, len(v))
		for i, h := range v {
			parts[i] = fmt.Sprintf("%x", []byte(h))
		}
		return strings.Join(parts, " ")
	}
	return fmt.Sprint(reflect.Indirect(f.value).Interface())
}

// checkSizes compares the lengths of what a case wants with those of the
// suite's encodings; a mistake there is the file's, not a backend's. Lengths
// of what it gives are the case's business: hostile ones are cases.
func (c *Case) checkSizes(id protocol.SuiteID) error {
	size := sizesOf(id)
	for _, f := range fieldsOf(&c.Out) {
		want, ok := size[f.name]
		if !ok || !f.given() {
			continue
		}
		values, ok := f.value.Interface().([]strictjson.Hex)
		if !ok {
			values = []strictjson.Hex{f.value.Interface().(strictjson.Hex)}
		}
		for _, v := range values {
			if len(v) != want {
				return fmt.Errorf(" (%s).out.%s: expected %d bytes, found %d", c.ID, f.name, want, len(v))
			}
		}
	}
	return nil
}

// sizesOf gives the lengths of a suite's encodings by field.
func sizesOf(id protocol.SuiteID) map[string]int {
	g1, g2, scalar := id.Sizes()
	m := map[string]int{"server_secret": g2, "server_secret_shares": g2, "public_key": g2, "y": scalar,
		"client_key": 16, "server_key": 16}
	for _, name := range []string{"identity_point", "permit_point", "client_secret_shares", "client_secret",
		"permit_shares", "permit", "token", "secret", "u", "ut", "v", "r_point", "w_point"} {
		m[name] = g1
	}
	return m
}
