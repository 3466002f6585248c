package bench

import "syscall"

// systemInfo asks the kernel for what Linux shows in files: "cpu", "os",
// "kernel".
func systemInfo(what string) string {
	name, before := "", ""
	switch what {
	case "cpu":
		name = "machdep.cpu.brand_string"
	case "os":
		name, before = "kern.osproductversion", "macOS "
	case "kernel":
		name, before = "kern.osrelease", "Darwin "
	}
	value, err := syscall.Sysctl(name)
	if err != nil || value == "" {
		return ""
	}
	return before + value
}
