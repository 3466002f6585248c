package vectors

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"mpinlab/protocol"
	"mpinlab/vectors/strictjson"
)

// Set is a file of vectors, ready to be run.
type Set struct {
	// File is where it was read.
	File string
	// Format is mpin-vectors/1, milagro, rfc9380 or wycheproof.
	Format string
	Suite  protocol.SuiteID
	checks []check
}

// Cases is the number of cases in the set.
func (s *Set) Cases() int { return len(s.checks) }

// Load reads files, and every .json and .json.gz file in folders, in the
// order of their names. forced, if not empty, is the suite of Milagro files
// that do not say theirs.
func Load(paths []string, forced string) ([]*Set, error) {
	var sets []*Set
	for _, path := range paths {
		files, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			set, err := loadFile(file, forced)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			sets = append(sets, set)
		}
	}
	return sets, nil
}

// expand lists the files that a path stands for.
func expand(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && (strings.HasSuffix(p, ".json") || strings.HasSuffix(p, ".json.gz")) {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no .json or .json.gz file in this folder", path)
	}
	sort.Strings(files)
	return files, nil
}

func loadFile(path, forced string) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(path, f, forced)
}

// Read reads one document of any known format, compressed or not. name is what
// reports call it, and what a Milagro file's curve may be told from.
func Read(name string, r io.Reader, forced string) (*Set, error) {
	data, err := strictjson.Read(r)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = strictjson.Read(z); err != nil {
			return nil, err
		}
	}
	set, err := detect(name, data, forced)
	if err != nil {
		return nil, err
	}
	set.File = name
	return set, nil
}

// detect tells the format from the document's outermost shape.
func detect(name string, data []byte, forced string) (*Set, error) {
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); bytes.HasPrefix(trimmed, []byte{'['}) {
		if forced != "" {
			id, err := protocol.ParseSuiteID(forced)
			if err != nil {
				return nil, err
			}
			name = id.Curve.String()
		}
		return milagroSet(name, data)
	}
	var head struct {
		Format      *string `json:"format"`
		Ciphersuite string  `json:"ciphersuite"`
		Algorithm   string  `json:"algorithm"`
	}
	if err := strictjson.Decode(data, &head, strictjson.Lenient); err != nil {
		return nil, err
	}
	switch {
	case head.Format != nil:
		f, err := ParseFile(data)
		if err != nil {
			return nil, err
		}
		return ownSet(f)
	case head.Algorithm != "":
		return wycheproofSet(data)
	case head.Ciphersuite != "":
		return rfcSet(data)
	}
	return nil, fmt.Errorf("of no known format: expected a key format (%s), ciphersuite (RFC 9380), algorithm (Wycheproof), or an array (Milagro)", Format)
}
