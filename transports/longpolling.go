package transports

// longPolling answers as soon as there is a batch; the client asks again. The
// answers of /session/send have the same form.
type longPolling struct{ binaryFormat }

func (longPolling) limits() (int, int) { return 256 << 10, 0 }
