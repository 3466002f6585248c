package seal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	uriScheme = "pkcs11:"
	maxURI    = 4 << 10 // bytes
)

// uri is a PKCS#11 URI (RFC 7512), as far as it names a key for sealing.
// Empty fields are not in the URI.
type uri struct {
	token, serial, manufacturer, model string
	object                             string
	id                                 []byte
	modulePath                         string
	pinSource                          string // a path
	pinValue                           []byte // nil unless given
}

// parseURI reads a URI. Its errors, of kind ErrSpec, contain names of
// attributes and never values: one of them may be a PIN.
func parseURI(s string) (*uri, error) {
	bad := func(format string, a ...any) (*uri, error) {
		return nil, fmt.Errorf("%w: PKCS#11 URI: %s", ErrSpec, fmt.Sprintf(format, a...))
	}
	rest, ok := strings.CutPrefix(s, uriScheme)
	if !ok || len(s) > maxURI {
		return bad("it must begin with %s and have at most %d bytes", uriScheme, maxURI)
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	u := new(uri)
	seen := map[string]bool{}
	each := func(part, separator, extra string) error {
		if part == "" {
			return nil
		}
		for _, attribute := range strings.Split(part, separator) {
			name, encoded, ok := strings.Cut(attribute, "=")
			if !ok {
				return errors.New("an attribute has no value")
			}
			if separator == "&" != queryAttributes[name] || !known[name] {
				return errors.New("an attribute is unknown or in the wrong place; known are token, serial, manufacturer, model, object, id, type; and after the question mark module-path, pin-source, pin-value")
			}
			if seen[name] {
				return fmt.Errorf("%s is there twice", name)
			}
			seen[name] = true
			value, err := unescape(encoded, extra)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := u.set(name, value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	if err := each(path, ";", "&"); err != nil {
		return bad("%v", err)
	}
	if hasQuery && query == "" {
		return bad("nothing follows the question mark")
	}
	if err := each(query, "&", "/?|"); err != nil {
		return bad("%v", err)
	}
	switch {
	case u.object == "" && u.id == nil:
		return bad("object or id must name the key")
	case u.token == "" && u.serial == "":
		return bad("token or serial must name the token")
	case u.modulePath == "":
		return bad("module-path must name the token's library")
	case u.pinSource != "" && u.pinValue != nil:
		return bad("pin-source and pin-value exclude each other")
	}
	return u, nil
}

var (
	queryAttributes = map[string]bool{"module-path": true, "pin-source": true, "pin-value": true}
	known           = map[string]bool{
		"token": true, "serial": true, "manufacturer": true, "model": true, "object": true, "id": true,
		"type": true, "module-path": true, "pin-source": true, "pin-value": true,
	}
)

func (u *uri) set(name string, value []byte) error {
	if len(value) == 0 {
		return errors.New("it is empty")
	}
	switch name {
	case "id":
		if len(value) > maxKeyID {
			return fmt.Errorf("it is longer than %d bytes", maxKeyID)
		}
		u.id = value
		return nil
	case "pin-value":
		pin, err := secretLine(value, ErrNoPIN)
		u.pinValue = pin
		return err
	}
	text := string(value)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return errors.New("it is not UTF-8, or has a zero byte")
	}
	switch name {
	case "token":
		u.token = text
	case "serial":
		u.serial = text
	case "manufacturer":
		u.manufacturer = text
	case "model":
		u.model = text
	case "object":
		u.object = text
	case "type":
		if text != "secret-key" {
			return errors.New("it must be secret-key")
		}
	case "module-path":
		u.modulePath = text
	case "pin-source":
		// RFC 7512 leaves the form open and shows file: URIs and "|command".
		file := strings.TrimPrefix(text, "file:")
		if after, ok := strings.CutPrefix(file, "//"); ok && strings.HasPrefix(after, "/") {
			file = after
		}
		if !strings.HasPrefix(file, "/") || strings.HasPrefix(file, "//") {
			return errors.New("it must be file: and an absolute path; commands and other hosts are not supported")
		}
		u.pinSource = file
	}
	return nil
}

// unescape decodes percent-encoding and refuses bytes that RFC 7512 wants
// encoded: all but unreserved ones, pk11-res-avail and extra.
func unescape(s, extra string) ([]byte, error) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) {
				return nil, errors.New("percent-encoding is cut short")
			}
			var one [1]byte
			if _, err := hex.Decode(one[:], []byte(s[i+1:i+3])); err != nil {
				return nil, errors.New("percent-encoding is not hexadecimal")
			}
			b = append(b, one[0])
			i += 2
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-._~:[]@!$'()*+,=", c) >= 0, strings.IndexByte(extra, c) >= 0:
			b = append(b, c)
		default:
			return nil, errors.New("a byte must be percent-encoded")
		}
	}
	return b, nil
}

// pin returns the PIN, read anew at every call: the file may have been mended.
func (u *uri) pin() ([]byte, error) {
	if u.pinSource != "" {
		return secretFile(u.pinSource, ErrNoPIN)
	}
	if u.pinValue != nil {
		return append([]byte(nil), u.pinValue...), nil
	}
	value := os.Getenv(PINVariable)
	if value == "" {
		return nil, ErrNoPIN
	}
	return secretLine([]byte(value), ErrNoPIN)
}

// describe names token, key and module. It leaves the PIN and its place out.
func (u *uri) describe() string {
	key := fmt.Sprintf("key %q", u.object)
	if u.id != nil {
		key += fmt.Sprintf(" with id %x", u.id)
	}
	return fmt.Sprintf("pkcs11: under %s in %s through %s", key, u.describeToken(), u.modulePath)
}

func (u *uri) describeToken() string {
	s := "token"
	for _, part := range []struct{ name, value string }{
		{"", u.token}, {"serial ", u.serial}, {"manufacturer ", u.manufacturer}, {"model ", u.model},
	} {
		if part.value != "" {
			s += fmt.Sprintf(" %s%q", part.name, part.value)
		}
	}
	return s
}
