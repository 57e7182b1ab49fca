#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "gateway/cli/cli.h"

int main(int argc, char **argv)
{
	(void)setlocale(LC_TIME, "C");
	(void)signal(SIGPIPE, SIG_DFL); /* `gymfleet sessions | head` ends quietly */
	return (int)cli_main(argc, argv, stdout, stderr);
}
