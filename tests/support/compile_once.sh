#!/bin/sh
# Compiles for setuptools and for Verilator: an object that an earlier build of this run of the tests
# made is copied. It is known by its flags and by its text after preprocessing, which has macros and
# headers. INTGOLD_LAST: flags that come last. Without INTGOLD_CC the first word is the compiler, as
# in a Makefile of Verilator.
if test -z "$INTGOLD_CC"; then
    INTGOLD_CC=$1
    shift
fi
flags="$INTGOLD_CC $INTGOLD_LAST" made='' previous=''
for word; do
    case $previous in -o) made=$word ;; esac
    case $word in -o | *.o | *.c | *.cpp | -c | -I* | -D*) ;; *) flags="$flags $word" ;; esac
    previous=$word
done
case $made in *.o) ;; *) exec $INTGOLD_CC "$@" ;; esac
$INTGOLD_CC "$@" -E -P || exit # into the object's file
name=$({ echo "$flags"; cat "$made"; } | sha256sum | cut -c-64)
kept=$INTGOLD_TEST_OBJECTS/$name.o
if ! test -f "$kept"; then
    $INTGOLD_CC "$@" $INTGOLD_LAST || exit
    cp "$made" "$kept.$$" && mv "$kept.$$" "$kept" || exit
fi
cp "$kept" "$made"
