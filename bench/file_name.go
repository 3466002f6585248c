package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// ParseKey is the inverse of Key.String. A sub-name that is not one of
// Key.String's ("suite", "curve", "backend", "via", and before them one with a
// number) is an error, as is another order: no two names are the same row.
//
// The name must end in "-<Procs>". Package testing omits that for one
// processor, and then no program can tell "-381" in a curve's name from it.
func ParseKey(name string) (Key, error) {
	k, err := parseKey(name)
	if err != nil {
		return Key{}, fmt.Errorf("benchmark name %s: %w", quoted(name), err)
	}
	if k.String() != name {
		return Key{}, fmt.Errorf("benchmark name %s: expected %s", quoted(name), quoted(k.String()))
	}
	return k, nil
}

func parseKey(name string) (k Key, err error) {
	if len(name) > 1000 {
		return k, fmt.Errorf("too long")
	}
	rest, ok := strings.CutPrefix(name, "Benchmark")
	if !ok {
		return k, fmt.Errorf("it does not begin with Benchmark")
	}
	dash := strings.LastIndexByte(rest, '-')
	if dash < 0 {
		return k, fmt.Errorf("it does not end in -<processors>")
	}
	if k.Procs, err = strconv.Atoi(rest[dash+1:]); err != nil || k.Procs < 1 {
		return k, fmt.Errorf("it does not end in -<processors>")
	}
	parts := strings.Split(rest[:dash], "/")
	k.Op = parts[0]
	if !isOp(k.Op) {
		return k, fmt.Errorf("%s is not an operation: an upper-case letter, then letters and digits", quoted(k.Op))
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		if !isWord(value) {
			return k, fmt.Errorf("%s is not <key>=<value>", quoted(part))
		}
		switch key {
		case "suite":
			k.Suite = value
		case "curve":
			k.Curve = value
		case "backend":
			k.Backend = value
		case "via":
			k.Via = value
		default:
			if !isParameter(key) {
				return k, fmt.Errorf("unknown sub-name %s", quoted(part))
			}
			if k.N, err = strconv.Atoi(value); err != nil || k.N < 0 {
				return k, fmt.Errorf("unknown sub-name %s", quoted(part))
			}
			k.NName = key
		}
	}
	return k, nil
}

// valid reports whether the key can be written and read back.
func (k Key) valid() error {
	have, err := ParseKey(k.String())
	if err == nil && have != k {
		err = fmt.Errorf("%s does not say all of %+v", k, k)
	}
	return err
}

// isOp: "ServerVerify".
func isOp(s string) bool {
	for i, c := range []byte(s) {
		upper, lower, digit := 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9'
		if !upper && (i == 0 || !lower && !digit) {
			return false
		}
	}
	return s != ""
}

// isParameter: "n", "t".
func isParameter(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// isWord: printable ASCII without blank and slash.
func isWord(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' }) < 0
}

// valid reports whether the setting can be written and read back: the Go
// benchmark format wants a key without blanks, colons and upper-case letters
// that begins with a lower-case one, and takes an empty value for a deletion.
func (s Setting) valid() error {
	for i, c := range s.Key {
		if i == 0 && !unicode.IsLower(c) || c == ':' || unicode.IsSpace(c) || unicode.IsUpper(c) || !unicode.IsPrint(c) {
			return fmt.Errorf("setting key %s: it must begin with a lower-case letter and have no blank, colon or upper-case letter", quoted(s.Key))
		}
	}
	if s.Key == "" {
		return fmt.Errorf("setting without a key: %s", quoted(s.Value))
	}
	if s.Value == "" || s.Value != oneLine(s.Value) {
		return fmt.Errorf("setting %s: its value %s is empty, has more than one line, or surplus blanks", s.Key, quoted(s.Value))
	}
	return nil
}

// set adds a setting, or changes its value.
func (r *Results) set(key, value string) {
	i := slices.IndexFunc(r.Environment, func(s Setting) bool { return s.Key == key })
	if i >= 0 {
		r.Environment[i].Value = value
		return
	}
	r.Environment = append(r.Environment, Setting{key, value})
}

// oneLine makes one line of printable text of s, with single blanks.
func oneLine(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) && !unicode.IsSpace(c) {
			return '?'
		}
		return c
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// quoted quotes hostile text for an error, cut short.
func quoted(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strconv.Quote(s)
}
