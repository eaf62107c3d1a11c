package host

// Used says that the running cell uses something from outside of the script, such as a file of data or a model: its kind,
// and what tells it from others. what is called only where a manifest of the run is made.
func Used(kind string, what func() string) {
	w := Stdout()
	if k, ok := w.(interface {
		Keeps() bool
		Used(kind, what string)
	}); ok && k.Keeps() {
		k.Used(kind, what())
	}
}
