# Cases, service, hours, people: gateway/store/cases.h
