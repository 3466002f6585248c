package bench

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
)

// machine reads the settings of the machine from root, the root of its file
// system. Linux shows everything there; elsewhere a few come from systemInfo.
func machine(root fs.FS, goos, goarch string) []Setting {
	info := fields(contents(root, "proc/cpuinfo"))
	release := fields(strings.ReplaceAll(contents(root, "etc/os-release"), "=", ":"))
	sys := "sys/devices/system/cpu/"
	return []Setting{
		{"goos", goos},
		{"goarch", goarch},
		{"pkg", "mpinlab"},
		{"cpu", orElse(info["model name"], armModel(info), systemInfo("cpu"))},
		{"cpu-features", orElse(cpuFeatures(), "none")},
		{"cores", strconv.Itoa(runtime.NumCPU())},
		{"governor", orElse(contents(root, sys+"cpu0/cpufreq/scaling_governor"))},
		{"turbo", orElse(turbo(root, sys))},
		{"hypervisor", hypervisor(info)},
		{"memory", orElse(memory(fields(contents(root, "proc/meminfo"))["MemTotal"]))},
		{"os", orElse(strings.Trim(release["PRETTY_NAME"], `"'`), systemInfo("os"))},
		{"kernel", orElse(contents(root, "proc/sys/kernel/osrelease"), systemInfo("kernel"))},
	}
}

// contents returns the first 64 KiB of a file, or "".
func contents(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return ""
	}
	return string(data)
}

// fields reads lines of "key : value"; of a key that is there for every
// processor it keeps the first.
func fields(text string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		key = strings.TrimSpace(key)
		if _, have := m[key]; ok && !have {
			m[key] = strings.TrimSpace(value)
		}
	}
	return m
}

// armModel names a processor whose kernel gives only numbers.
func armModel(info map[string]string) string {
	if info["CPU part"] == "" {
		return ""
	}
	return fmt.Sprintf("implementer %s part %s", info["CPU implementer"], info["CPU part"])
}

// cpuFeatures lists the instruction sets that decide which code the pairing
// libraries run, as this process may use them.
func cpuFeatures() string {
	var have []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"bmi2", cpu.X86.HasBMI2},
		{"adx", cpu.X86.HasADX},
		{"avx2", cpu.X86.HasAVX2},
		{"avx512f", cpu.X86.HasAVX512F},
		{"avx512dq", cpu.X86.HasAVX512DQ},
		{"avx512vl", cpu.X86.HasAVX512VL},
		{"avx512ifma", cpu.X86.HasAVX512IFMA},
		{"asimd", cpu.ARM64.HasASIMD},
		{"sha2", cpu.ARM64.HasSHA2},
		{"sve", cpu.ARM64.HasSVE},
		{"sve2", cpu.ARM64.HasSVE2},
	} {
		if f.has {
			have = append(have, f.name)
		}
	}
	return strings.Join(have, " ")
}

// turbo says whether the clock may rise above its nominal rate.
func turbo(root fs.FS, sys string) string {
	switch strings.TrimSpace(contents(root, sys+"intel_pstate/no_turbo")) {
	case "0":
		return "on"
	case "1":
		return "off"
	}
	switch strings.TrimSpace(contents(root, sys+"cpufreq/boost")) {
	case "0":
		return "off"
	case "1":
		return "on"
	}
	return ""
}

// hypervisor says whether an x86 processor tells that it is a virtual one.
func hypervisor(info map[string]string) string {
	flags, ok := info["flags"]
	if !ok {
		return notReadable
	}
	return yesNo(strings.Contains(" "+flags+" ", " hypervisor "))
}

// memory turns "24684084 kB" into "24 GiB": whole ones, because what a kernel
// keeps for itself changes with every update.
func memory(total string) string {
	kib, err := strconv.ParseFloat(strings.TrimSuffix(total, " kB"), 64)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.0f GiB", math.Ceil(kib/(1<<20)))
}
