package legacy

import (
	"errors"
	"fmt"
	"net/url"
)

// Parameter returns the value of a parameter that a query may have once, or nothing. A
// query that can be read in two ways is an error.
func Parameter(query, name string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("malformed query")
	}
	switch all := values[name]; len(all) {
	case 0:
		return "", nil
	case 1:
		return all[0], nil
	}
	return "", fmt.Errorf("more than one %s", name)
}
