package load

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"mpinlab/protocol"
)

var update = flag.Bool("update", false, "write scenario.schema.json anew")

// enums are the values allowed where there are few.
func enums() map[string][]string {
	var suites []string
	for _, id := range protocol.SuiteIDs() {
		if id.TimePermits() {
			suites = append(suites, id.String())
		}
	}
	var kinds []string
	for _, k := range FaultKinds() {
		kinds = append(kinds, k.Name)
	}
	return map[string][]string{
		"deployment.suite": suites, "deployment.store": {"memory", "bbolt", "redis"},
		"deployment.run":     {runInProcess, runProcess, runProcesses},
		"deployment.lockout": {"token", "any"},
		"population.enrol":   {"issued", "registered"},
		"client.cost":        {"real", "precomputed"}, "client.transport": {"http", "websocket"}, "client.redeem": {"rpa", "rps"},
		"stages.kind": {Constant, Poisson, Ramp, Diurnal, Spike}, "stages.spacing": {"even", "poisson"},
		"faults.kind": kinds,
		"slos.metric": {"p50", "p90", "p95", "p99", "p999", "max", "errors", "dropped", "late", "rate", "speed-up"},
		"slos.phase":  {"whole", "permit", "pass1", "pass2", "redeem", "register", "sign"},
	}
}

// describeKinds is what the schema says of the kinds of fault.
func describeKinds() string {
	var lines []string
	for _, k := range FaultKinds() {
		lines = append(lines, k.String())
	}
	return strings.Join(lines, "\n")
}

// schemaOf makes the JSON schema of a type.
func schemaOf(t reflect.Type, path string) map[string]any {
	switch t {
	case reflect.TypeFor[Duration]():
		return map[string]any{"type": "string", "pattern": `^-?([0-9.]+(ns|us|µs|ms|s|m|h))+$`}
	case reflect.TypeFor[Share]():
		return map[string]any{"anyOf": []any{map[string]any{"type": "string", "pattern": `^[0-9.]+%$`}, map[string]any{"type": "number", "minimum": 0, "maximum": 1}}}
	case reflect.TypeFor[Size]():
		return map[string]any{"type": "string", "pattern": `^[0-9.]+(B|KB|MB|GB)?$`}
	case reflect.TypeFor[Value]():
		return map[string]any{"type": []any{"string", "number"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), path)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), path)}
	case reflect.String:
		s := map[string]any{"type": "string"}
		if e := enums()[path]; e != nil {
			s["enum"] = e
		}
		if path == "faults.kind" {
			s["description"] = describeKinds()
		}
		return s
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return map[string]any{"type": "number", "minimum": 0}
	}
	properties, required := map[string]any{}, []string{}
	for _, name := range keys(t) {
		f := field(t, name)
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		properties[name] = schemaOf(f.Type, inner)
		if !strings.Contains(f.Tag.Get("yaml"), "omitempty") && (path != "stages" || name != "rate") && name != "title" {
			required = append(required, name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func TestSchemaIsThatOfTheTypes(t *testing.T) {
	want := schemaOf(reflect.TypeFor[Scenario](), "")
	want["$schema"], want["title"] = "https://json-schema.org/draft/2020-12/schema", "mpin load scenario"
	b, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	if *update {
		if err := os.WriteFile("scenario.schema.json", b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(b, Schema()) {
		t.Error("scenario.schema.json is not that of the types: go test ./sim/load -run Schema -update")
	}
}

// Every value that the schema lists is taken, and one that it does not is
// refused with those that are.
func TestEnumsAreWhatIsChecked(t *testing.T) {
	for path, values := range enums() {
		key := strings.Replace(path, "stages.", "stages.0.", 1)
		key = strings.Replace(strings.Replace(key, "faults.", "faults.0.", 1), "slos.", "slos.0.", 1)
		s, err := Read("x.yaml", []byte(full))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Set(key + "=nonsense")
		if err == nil {
			t.Errorf("%s=nonsense was taken", key)
			continue
		}
		for _, v := range values {
			if !strings.Contains(err.Error(), v) {
				t.Errorf("%s: the error does not say %q: %v", key, v, err)
			}
		}
	}
}

// full has every list once.
const full = `name: full
deployment: {run: processes, store: redis}
stages:
  - {kind: constant, rate: 1, duration: 1s}
faults:
  - {kind: kill, node: rpa, at: 0s}
slos:
  - {metric: p99, max: 1s}
`
