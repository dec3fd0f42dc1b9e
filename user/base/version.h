/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef FAIRLEAD_VERSION_H
#define FAIRLEAD_VERSION_H

#define FAIRLEAD_VERSION "0.1.0"

#endif
