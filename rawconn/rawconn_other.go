//go:build !unix

package rawconn

const supported = false

func (r *Reader) readable(uintptr) bool { panic("rawconn: not supported") }
func (w *Writer) writable(uintptr) bool { panic("rawconn: not supported") }
func atEnd(int) bool                    { panic("rawconn: not supported") }

func (t *transfer) readable(uintptr) bool { panic("rawconn: not supported") }
func (t *transfer) writable(uintptr) bool { panic("rawconn: not supported") }
