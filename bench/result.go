package bench

// Row is what was measured for one key.
type Row struct {
	Key Key
	// Samples are the measured costs in nanoseconds a unit of work, in the
	// order in which they were taken.
	Samples []float64
	// Counts are the units of work behind each sample: runs times PerRun.
	Counts []int
	// BytesSamples and AllocsSamples are each sample's heap bytes and
	// allocations a unit. Both are empty where they were not measured.
	BytesSamples, AllocsSamples []float64
	// Median and its 95 % confidence interval, in nanoseconds. With fewer than
	// six samples no 95 % interval exists: Lo and Hi are then infinite.
	Median, Lo, Hi float64
	// Bytes and Allocs are the heap bytes and allocations a unit (medians).
	Bytes, Allocs float64
	// Warnings are what a reader must know about this row.
	Warnings []string
}

// Setting is one line of a result file's configuration.
type Setting struct{ Key, Value string }

// Results is the content of a result file.
type Results struct {
	// Environment is the file's configuration in order: machine, toolchain,
	// module versions, options.
	Environment []Setting
	Rows        []Row
	// Warnings are what a reader must know about the run as a whole: cases
	// that failed, a budget that was reached, a machine that was busy.
	Warnings []string
}

// Get returns an environment value, or "".
func (r *Results) Get(key string) string {
	for _, s := range r.Environment {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// Find returns the row with the given key, Procs aside, or nil.
func (r *Results) Find(k Key) *Row {
	for i := range r.Rows {
		have := r.Rows[i].Key
		have.Procs = k.Procs
		if have == k {
			return &r.Rows[i]
		}
	}
	return nil
}
