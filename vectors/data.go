package vectors

import (
	"embed"
	"io/fs"
	"sort"
)

// data holds the project's own vectors: one file a suite, written by
// `make vectors`.
//
//go:embed data/*.json
var data embed.FS

// Seed is the seed of the project's own vectors: "mpinlab".
var Seed = []byte("mpinlab")

// Cases is the number of cases of each protocol in the project's own vectors.
const Cases = 14

// Own reads the project's own vectors, which are part of the program.
func Own() ([]*Set, error) {
	names, err := fs.Glob(data, "data/*.json")
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	var sets []*Set
	for _, name := range names {
		f, err := data.Open(name)
		if err != nil {
			return nil, err
		}
		set, err := Read(name, f, "")
		f.Close()
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	return sets, nil
}
