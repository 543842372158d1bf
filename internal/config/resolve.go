package config

import (
	"path/filepath"
	"reflect"
	"strings"
)

// resolve makes each path absolute, as it is meant relative to the directory of
// the file.
func (c *Config) resolve(r *report) {
	dir, err := filepath.Abs(filepath.Dir(c.Path))
	if err != nil {
		r.fault(nil, "the directory of this file has no absolute path: "+err.Error(), "name the file by an absolute path")
		return
	}
	walk(reflect.ValueOf(c), nil, func(v reflect.Value, tag reflect.StructTag, at keys) {
		if tag.Get("resolve") != "path" || v.String() == "" {
			return
		}
		path := v.String()
		if strings.HasPrefix(path, "~") {
			r.fault(at, "~ is not expanded", "write the path in full, or relative to this file")
			r.spoiled = append(r.spoiled, at)
		}
		if !filepath.IsAbs(path) {
			v.SetString(filepath.Join(dir, path))
		}
	})
}

// walk calls visit for each member of a struct that a file can set, from the
// outside in, wherever below v it is. Members of maps are copied and put back.
func walk(v reflect.Value, at keys, visit func(member reflect.Value, tag reflect.StructTag, at keys)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), at, visit)
		}
	case reflect.Struct:
		for _, f := range members(v.Type()) {
			member := v.FieldByIndex(f.Index)
			visit(member, f.Tag, at.child(name(f)))
			walk(member, at.child(name(f)), visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			element := reflect.New(v.Type().Elem()).Elem()
			element.Set(v.MapIndex(key))
			walk(element, at.child(key.String()), visit)
			v.SetMapIndex(key, element)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), at.element(i), visit)
		}
	}
}
