package load

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed shelf/*.yaml
var shelf embed.FS

//go:embed scenario.schema.json
var schema []byte

// Schema is the JSON schema of scenarios, for editors.
func Schema() []byte { return schema }

// shelfOrder is the order of the list, from the one to begin with.
var shelfOrder = []string{
	"quick", "morning-peak", "midnight-permits", "wrong-pin-flood", "dta-outage", "redis-failover", "slow-network", "soak", "saturation",
}

// Shelf returns the scenarios that are built in.
func Shelf() ([]*Scenario, error) {
	var list []*Scenario
	for _, name := range shelfOrder {
		s, err := Find(name)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Find returns the scenario of a name on the shelf, or of a file. Error:
// ErrScenario.
func Find(name string) (*Scenario, error) {
	if !strings.ContainsAny(name, "/\\") && !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
		b, err := shelf.ReadFile(path.Join("shelf", name+".yaml"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no %q on the shelf; there are %s, or give a file's name ending in .yaml",
				ErrScenario, name, strings.Join(shelfOrder, ", "))
		}
		if err != nil {
			return nil, err
		}
		return Read(name+".yaml", b)
	}
	return ReadFile(name)
}
