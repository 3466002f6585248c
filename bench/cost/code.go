package cost

import (
	"debug/elf"
	"debug/gosym"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"mpinlab/backends"
)

// packages gives the packages whose code is a backend's own: the library's and
// the adapter's. Code that several backends share is nobody's.
func packages(id string) []string {
	library, curve, _ := strings.Cut(id, "/")
	switch library {
	case "gnark":
		return []string{"github.com/consensys/gnark-crypto/ecc/" + curve}
	case "circl":
		return []string{"github.com/cloudflare/circl/ecc/bls12381", "mpinlab/backends/circl"}
	case "kilic":
		return []string{"github.com/kilic/bls12-381", "mpinlab/backends/kilic"}
	case "blst":
		return []string{"github.com/supranational/blst/bindings/go", "mpinlab/backends/blst"}
	case "amcl":
		return []string{"github.com/hyperledger/fabric-amcl/amcl/FP256BN", "mpinlab/backends/amcl"}
	case "miracl":
		return []string{"github.com/hyperledger/fabric-amcl/core/FP256BN", "mpinlab/backends/miracl"}
	}
	return nil
}

// function is a piece of machine code.
type function struct {
	name string
	size uint64
	blst bool // of C or assembly
}

// codeSizes reads the running program and adds up the machine code of each
// backend in it: what the linker kept. The code of blst's C and assembly needs
// the symbol table, which go run leaves out.
func codeSizes(bs []backends.Backend) (map[string]uint64, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	functions, symbols, err := readFunctions(path)
	if err != nil {
		return nil, err
	}
	sizes := map[string]uint64{}
	var without error
	for _, b := range bs {
		id := b.Info().ID
		isBLST := strings.HasPrefix(id, "blst/")
		if isBLST && !symbols {
			without = errors.New("blst: the program has no symbol table (build it with go build)")
			continue
		}
		sum := uint64(0)
		for _, f := range functions {
			if f.blst && isBLST || !f.blst && belongs(f.name, packages(id)) {
				sum += f.size
			}
		}
		if sum > 0 {
			sizes[id] = sum
		}
	}
	return sizes, without
}

// belongs reports whether a Go function is of one of the packages or of one
// below them.
func belongs(name string, list []string) bool {
	for _, p := range list {
		// The linker writes a dot in the last element of a path as %2e.
		if rest, ok := strings.CutPrefix(strings.ReplaceAll(name, "%2e", "."), p); ok && rest != "" && (rest[0] == '.' || rest[0] == '/') {
			return true
		}
	}
	return false
}

// readFunctions lists the Go functions of a program and blst's, these if it has
// a symbol table.
func readFunctions(path string) (list []function, symbols bool, err error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("the program is not in the ELF format: %w", err)
	}
	defer f.Close()
	pclntab, text := f.Section(".gopclntab"), f.Section(".text")
	if pclntab == nil {
		pclntab = f.Section(".data.rel.ro.gopclntab")
	}
	if pclntab == nil || text == nil {
		return nil, false, errors.New("the program has no table of Go's functions")
	}
	data, err := pclntab.Data()
	if err != nil {
		return nil, false, err
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return nil, false, err
	}
	isGo := map[uint64]bool{}
	for _, fn := range table.Funcs {
		isGo[fn.Entry] = true
		list = append(list, function{name: fn.Name, size: fn.End - fn.Entry})
	}
	named, err := f.Symbols()
	if err != nil {
		return list, false, nil
	}
	file := ""
	for _, s := range named {
		switch {
		case elf.ST_TYPE(s.Info) == elf.STT_FILE:
			file = s.Name
		case elf.ST_TYPE(s.Info) != elf.STT_FUNC || s.Size == 0 || isGo[s.Value]:
		case elf.ST_BIND(s.Info) == elf.STB_LOCAL && blstFile.MatchString(file),
			elf.ST_BIND(s.Info) != elf.STB_LOCAL && blstName.MatchString(s.Name) && !cgoName.MatchString(s.Name):
			list = append(list, function{name: s.Name, size: s.Size, blst: true})
		}
	}
	return list, true, nil
}

var (
	// blst is one file of C and one of assembly, whose object the go command
	// numbers; its functions that other files see are blst_… and those of the
	// assembly: mul_mont_384. Other C code in the program has names in capitals
	// or is of the runtime.
	blstFile = regexp.MustCompile(`^(cgo_server\.c|blst\.cgo2\.c|\d+\.o)$`)
	blstName = regexp.MustCompile(`^_{0,2}[a-z][a-z0-9]*_[a-z0-9_]+$`)
	cgoName  = regexp.MustCompile(`^_?(_cgo|x_cgo|cgo|crosscall|_rt0|_libc|_dl)_`)
)
