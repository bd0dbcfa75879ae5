// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The calendar: iCalendar, CalDAV bodies, links, the schedule.
