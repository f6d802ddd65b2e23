/* SPDX-License-Identifier: MIT */
/* Leaves the opening of plug-ins to a library: host_plugin.c with its main renamed. */
int open_and_run(int argc, char **argv);

int main(int argc, char **argv)
{
	return open_and_run(argc, argv);
}
