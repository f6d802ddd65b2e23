# SPDX-License-Identifier: MIT
"""Writes the probes of the cases: `make_probes.py imports|hot > FILE`, a section for each.

The name of a case is the name of its probe and the artifact of its calls.
"""
import sys

IMPORTS = """
plain                plain:transfer
alias                plain:exported
klass                plain:Klass.method
pack_top             pack:top
pack_inner           pack.inner:inner_function
from_import          from_import:wanted
circle_early         circle_a:early
circle_class         circle_a:Early.method
circle_late          circle_a:late
reloaded             reloaded:again
reloaded_class       reloaded:Again.method
lazy                 lazy:late
in_thread            in_thread:shared
in_function          in_function:Local.method
base_run             bases:Base.run
base_overridden      bases:Base.overridden
child_overridden     bases:Child.overridden
inherited            bases:Other.only_here
with_wraps           decorated:with_wraps
without_wraps        decorated:without_wraps
thrice               decorated:thrice
property             decorated:Kinds.prop
static               decorated:Kinds.static
class_method         decorated:Kinds.klass
decorated_method     decorated:Kinds.method
static_decorated     decorated:Kinds.static_decorated
cached               objects:cached
partial              objects:partial
dispatched           objects:dispatched
by_path              loaded_by_path:function
by_path_class        loaded_by_path:Thing.method
zipped               zipped:inside
zipped_deep          zipped_pack.deep:Deep.method
hand_made            hand_made:Made.method
main_class           __main__:Main.method
main_static          __main__:Main.static
main_function        __main__:main_function
main_by_file         run:Main.by_file
"""
HOT = """
hot_plain            hot:plain
hot_no_arguments     hot:no_arguments
hot_defaults         hot:defaults
hot_keyword_only     hot:keyword_only
hot_star             hot:star
hot_positional_only  hot:positional_only
hot_generator        hot:generator
hot_coroutine        hot:coroutine
hot_waiting          hot:waiting
hot_async_generator  hot:async_generator
hot_recursion        hot:recursion
hot_callback         hot:callback
hot_lambda           hot:lambda_function
hot_super            hot:Base.over
hot_init             hot:Kinds.__init__
hot_method           hot:Kinds.method
hot_method_keyword   hot:Kinds.method_keyword
hot_static           hot:Kinds.static
hot_class            hot:Kinds.klass
hot_property         hot:Kinds.prop
hot_call             hot:Kinds.__call__
hot_getitem          hot:Kinds.__getitem__
hot_len              hot:Kinds.__len__
hot_add              hot:Kinds.__add__
hot_enter            hot:Kinds.__enter__
hot_exit             hot:Kinds.__exit__
hot_slots_init       hot:Slots.__init__
hot_slots_method     hot:Slots.method
hot_iter             hot:Iterator.__iter__
hot_next             hot:Iterator.__next__
"""


def main():
    for row in {"imports": IMPORTS, "hot": HOT}[sys.argv[1]].split("\n"):
        if row:
            name, target = row.split()
            print(f'[probe {name}]\ntarget = python:{target}\nartifact_id = "{name}"\nmethod = "call"\n')


main()
