package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// ErrScenario: a scenario that cannot be; the text names file, line and key and
// what is allowed.
var ErrScenario = errors.New("scenario")

// maxScenario bounds a scenario's file in bytes.
const maxScenario = 1 << 20

// ReadFile reads a scenario. Errors: ErrScenario, and the system's.
func ReadFile(path string) (*Scenario, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScenario, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxScenario+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScenario, err)
	}
	return Read(path, b)
}

// Read reads a scenario from the bytes of a file, whose name is for errors, and
// checks it.
func Read(file string, b []byte) (*Scenario, error) {
	if len(b) > maxScenario {
		return nil, fmt.Errorf("%w: %s: over %d bytes", ErrScenario, file, maxScenario)
	}
	s := &Scenario{file: file, scale: 1}
	err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(s)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: %s:1: it is empty", ErrScenario, file)
		}
		return nil, readError(file, b, err)
	}
	if tree, err := parser.ParseBytes(b, 0); err == nil {
		s.lines = func(path string) int { return lineOf(tree, path) }
	}
	s.complete()
	return s, s.check()
}

var unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)

// readError names file, line and key, and for an unknown key those that there
// are.
func readError(file string, source []byte, err error) error {
	var value *valueError
	if errors.As(err, &value) {
		return fmt.Errorf("%w: %s:%d: %s: %s", ErrScenario, file, value.line, value.path, value.text)
	}
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return fmt.Errorf("%w: %s: %w", ErrScenario, file, err)
	}
	line, text := y.GetToken().Position.Line, y.GetMessage()
	if m := unknownField.FindStringSubmatch(text); m != nil {
		path := pathAt(source, line, m[1])
		if t := fieldType(reflect.TypeFor[Scenario](), path); t != nil && t.Kind() == reflect.Struct {
			text = fmt.Sprintf("unknown key %q; there are %s", m[1], strings.Join(keys(t), ", "))
		}
	} else if at := pathAt(source, line, ""); at != "" {
		text = at + ": " + text
	}
	return fmt.Errorf("%w: %s:%d: %s", ErrScenario, file, line, text)
}

// pathAt is the path of the mapping around a line, or of the key on it where no
// name is given: found by indentation, for a file that did not decode.
func pathAt(source []byte, line int, name string) string {
	lines := strings.Split(string(source), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " -")) }
	key := func(s string) string {
		k, _, _ := strings.Cut(strings.TrimLeft(s, " -"), ":")
		return k
	}
	here := lines[line-1]
	if strings.Contains(here, "{") { // flow style: the mapping is this line's
		return key(here)
	}
	path, depth := []string{}, indent(here)
	if name == "" {
		path = []string{key(here)}
	}
	for i := line - 2; i >= 0; i-- {
		s := lines[i]
		if strings.TrimSpace(s) == "" || strings.HasPrefix(strings.TrimSpace(s), "#") || indent(s) >= depth {
			continue
		}
		if depth = indent(s); key(s) != "" {
			path = append([]string{key(s)}, path...)
		}
	}
	return strings.Join(path, ".")
}

// fieldType is the type at a path of names; indices may be left out.
func fieldType(t reflect.Type, path string) reflect.Type {
	for _, name := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if _, err := strconv.Atoi(name); err == nil {
			continue
		}
		i := slices.Index(keys(t), name)
		if i < 0 {
			return nil
		}
		t = field(t, name).Type
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// keys are the names of a struct's fields in YAML.
func keys(t reflect.Type) []string {
	var names []string
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func field(t reflect.Type, name string) (f reflect.StructField) {
	for i := range t.NumField() {
		if n, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); n == name {
			return t.Field(i)
		}
	}
	return f
}

// lineOf finds the line of a path such as stages.0.kind, or of the nearest part
// of it that is there; 0 for none.
func lineOf(tree *ast.File, path string) int {
	parts := strings.Split(path, ".")
	for n := len(parts); n > 0; n-- {
		var text strings.Builder
		text.WriteString("$")
		for _, p := range parts[:n] {
			if _, err := strconv.Atoi(p); err == nil {
				text.WriteString("[" + p + "]")
			} else {
				text.WriteString("." + p)
			}
		}
		at, err := yaml.PathString(text.String())
		if err != nil {
			continue
		}
		node, err := at.FilterFile(tree)
		if err != nil || node == nil || node.GetToken() == nil {
			continue
		}
		return node.GetToken().Position.Line
	}
	return 0
}

// problem makes the error of a path.
func (s *Scenario) problem(path, format string, a ...any) error {
	where := s.file
	if s.lines != nil {
		if line := s.lines(path); line > 0 {
			where += ":" + strconv.Itoa(line)
		}
	}
	return fmt.Errorf("%w: %s: %s: %s", ErrScenario, where, path, fmt.Sprintf(format, a...))
}

// Set changes one value, as "client.cost=precomputed" or "stages.0.rate=200",
// and checks the whole. Error: ErrScenario.
func (s *Scenario) Set(assignment string) error {
	path, text, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("%w: %q is no key=value", ErrScenario, assignment)
	}
	v := reflect.ValueOf(s).Elem()
	for _, name := range strings.Split(path, ".") {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		switch {
		case v.Kind() == reflect.Slice:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= v.Len() {
				return fmt.Errorf("%w: %s: %q is none of the %d there are, which count from 0", ErrScenario, path, name, v.Len())
			}
			v = v.Index(i)
		case v.Kind() == reflect.Struct && slices.Contains(keys(v.Type()), name):
			v = v.FieldByIndex(field(v.Type(), name).Index)
		default:
			return fmt.Errorf("%w: %s: unknown key %q; there are %s", ErrScenario, path, name, strings.Join(keys(v.Type()), ", "))
		}
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	fresh := reflect.New(v.Type())
	if err := yaml.NewDecoder(strings.NewReader(text), yaml.Strict()).Decode(fresh.Interface()); err != nil {
		var y yaml.Error
		if errors.As(err, &y) {
			err = errors.New(y.GetMessage())
		}
		return fmt.Errorf("%w: %s: %w", ErrScenario, path, err)
	}
	v.Set(fresh.Elem())
	s.lines = nil // the file no longer tells
	s.file = assignment
	s.complete()
	return s.check()
}

// Scale makes all times factor times as long; rates stay.
func (s *Scenario) Scale(factor float64) error {
	if !(factor > 0 && factor <= 1000) {
		return fmt.Errorf("%w: scale %v is not above 0 and at most 1000", ErrScenario, factor)
	}
	by := func(list ...*Duration) {
		for _, d := range list {
			*d = Duration(float64(*d) * factor)
		}
	}
	by(&s.WarmUp)
	for i := range s.Stages {
		by(&s.Stages[i].Duration, &s.Stages[i].At, &s.Stages[i].Width)
	}
	for i := range s.Faults {
		by(&s.Faults[i].At, &s.Faults[i].For)
	}
	if s.Saturation != nil {
		by(&s.Saturation.Probe)
	}
	s.scale *= factor
	return s.check()
}

// YAML writes the scenario as it is now.
func (s *Scenario) YAML() ([]byte, error) { return yaml.Marshal(s) }

// Length is how long the stages take.
func (s *Scenario) Length() Duration {
	var d Duration
	for i := range s.Stages {
		d += s.Stages[i].Duration
	}
	return d
}
