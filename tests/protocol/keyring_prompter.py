#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""The desktop's half of GNOME Keyring's question for a password, without a window: what gcr-prompter is on a desktop.

Prints "ready" once it can be asked, and "asked" for each question. A line on stdin dismisses the question that is open.
"""
import sys
from gi.repository import Gio, GLib

CALLBACK = 'org.gnome.keyring.internal.Prompter.Callback'
INTERFACE = '''<node><interface name="org.gnome.keyring.internal.Prompter">
<method name="BeginPrompting"><arg name="callback" type="o" direction="in"/></method>
<method name="PerformPrompt"><arg name="callback" type="o" direction="in"/><arg name="type" type="s" direction="in"/>
<arg name="properties" type="a{sv}" direction="in"/><arg name="exchange" type="s" direction="in"/></method>
<method name="StopPrompting"><arg name="callback" type="o" direction="in"/></method>
</interface></node>'''

connection = Gio.bus_get_sync(Gio.BusType.SESSION)
open_question = None


def say(word):
    print(word, flush=True)


def tell(client, path, method, arguments=None):
    connection.call(client, path, CALLBACK, method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START, -1, None, None)


def called(_connection, client, _path, _interface, method, parameters, invocation):
    global open_question
    invocation.return_value(None)
    callback = parameters.unpack()[0]
    if method == 'BeginPrompting':
        tell(client, callback, 'PromptReady', GLib.Variant('(sa{sv}s)', ('', {}, '')))
    elif method == 'PerformPrompt':
        open_question = (client, callback)
        say('asked')
    else:
        tell(client, callback, 'PromptDone')


def dismiss(channel, _condition):
    global open_question
    if not channel.readline():
        loop.quit()
        return False
    if open_question:
        client, callback = open_question
        open_question = None
        tell(client, callback, 'PromptReady', GLib.Variant('(sa{sv}s)', ('no', {}, '')))
    return True


loop = GLib.MainLoop()
connection.register_object('/org/gnome/keyring/Prompter', Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0], called, None, None)
Gio.bus_own_name_on_connection(connection, 'org.gnome.keyring.SystemPrompter', Gio.BusNameOwnerFlags.NONE, lambda *_: say('ready'), None)
GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, dismiss)
loop.run()
